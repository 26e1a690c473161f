"""Start-up of the command: ``python benchmarks/startup.py --checkpoint CKPT --against PATH``.

CPU time and peak memory of whole processes, which take turns so that a busy machine slows all of them: the commands of
this checkout, those of another, and the imports that they are compared with.
"""

import json as json_files
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from jsonargparse import auto_cli
from measuring import print_rows, save_json

ROOT = Path(__file__).resolve().parents[1]

RESULTS = {
    "extractor": {"name": "inception"},
    "iteration": 500,
    "protocol": {"data": "x", "num_real": 9, "num_fake": 9, "num_score": 9, "splits": 1},
    "widths": [{"width": 1.0, "fid": 2.5}],
}

HELPS = ("--help", "report --help", "sample --help")

LAUNCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""  # a small process: the peak memory of a process begins with that of the process that starts it

IMPORTS = {"import torch": "import torch", "import torch, lightning.pytorch": "import torch, lightning.pytorch"}


class Cost(NamedTuple):
    """CPU seconds and peak resident bytes of one process."""

    seconds: float
    peak_bytes: int


def main(checkpoint: str | None = None, against: str | None = None, rounds: int = 5, json: str | None = None) -> None:
    """Measure the start-up of commands.

    Args:
        checkpoint: Checkpoint for ``slimgan sample``.
        against: Another checkout, whose commands take turns with those of this one.
        rounds: Processes of each kind; the median counts.
        json: File to write the costs to.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_results(Path(folder))
        commands = [*HELPS, f"compare {folder}/a {folder}/b"]
        if checkpoint is not None:
            commands.append(f"sample --ckpt_path {Path(checkpoint).resolve()} --output {folder}/x.png")
        checkouts = {"": ROOT, **({"old " if against else "": Path(against).resolve()} if against else {})}
        processes = {
            f"{name}slimgan {command.split(f' {folder}')[0].split(' --ckpt_path')[0]}": (
                ["-m", "slimgan_pl", *command.split()],
                root,
            )
            for command in commands
            for name, root in checkouts.items()
        }
        processes |= {name: (["-c", code], ROOT) for name, code in IMPORTS.items()}
        costs: dict[str, list[Cost]] = {name: [] for name in processes}
        for _ in range(rounds):
            for name, (words, root) in processes.items():
                costs[name].append(run_process(words, root, folder))
    medians = {name: Cost(*map(statistics.median, zip(*found, strict=True))) for name, found in costs.items()}
    rows = [
        [name, f"{cost.seconds:.2f} s", f"{cost.peak_bytes / 1e6:.0f} MB", ratio(name, medians)]
        for name, cost in medians.items()
    ]
    print_rows(f"Median of {rounds} processes", ["", "CPU time", "peak memory", "of the old time"], rows)
    save_json({name: cost._asdict() for name, cost in medians.items()}, json)


def ratio(name: str, costs: dict[str, Cost]) -> str:
    """Return the share of the other checkout's CPU time, if there is one."""
    old = costs.get(f"old {name}")
    return f"{costs[name].seconds / old.seconds:.3f}" if old else ""


def run_process(words: list[str], root: Path, folder: str) -> Cost:
    """Run Python with the sources of a checkout in a folder, and return the cost.

    Raises:
        CalledProcessError: If it fails.
    """
    path = os.pathsep.join([str(root / "src"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", LAUNCHER, sys.executable, *words]
    environment = {**os.environ, "PYTHONPATH": path}
    printed = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    seconds, kilobytes = printed.stdout.split()
    return Cost(float(seconds), int(kilobytes) * 1024)


def write_results(folder: Path) -> None:
    """Write the results of two runs, for ``slimgan compare``."""
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "results.json").write_text(json_files.dumps(RESULTS))


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
