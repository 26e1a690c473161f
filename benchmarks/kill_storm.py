"""Kills training runs at random moments and resumes them: ``python benchmarks/kill_storm.py --kills 50 --json FILE``.

Each run is killed with SIGKILL and resumed with ``--ckpt_path last``, until it ends. All it leaves
behind has to equal, bit for bit, what a run that was never stopped leaves. The tests do the same with fewer kills.
"""

import csv
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
from jsonargparse import auto_cli
from measuring import print_table, save_json

from slimgan_pl.cli import main as cli
from slimgan_pl.runs.checkpoints import read_checkpoint

CONFIG = """
trainer:
  max_steps: 44
  accelerator: cpu
  log_every_n_steps: 1
  val_check_interval: 14
samples: {every_n_iterations: 5, num_latents: 3}
checkpoint: {every_n_iterations: 4, keep_every_n_iterations: 25, monitor: fid}
model:
  generator:
    class_path: slimgan_pl.models.DCGANGenerator
    init_args: {channels: [8, 8, 8], latent_dim: 8, image_channels: 1}
  discriminators:
    class_path: slimgan_pl.models.DCGANDiscriminatorBank
    init_args: {channels: [4, 4, 4], image_channels: 1}
  adversarial_loss: relativistic
  penalty: {gamma: 0.1, every: 3}
  ema: {half_life: 500, ramp_up: 0.1}
  augmentation: {transforms: [flip, translation, color, cutout], p: 0.3, target: 0.5, images: 2000}
  schedules:
    lr: {factor: 0.1, warm_up: 300}
    beta2: {end: 0.9}
    gamma: {end: 0.01, shape: linear}
    half_life: {end: 200}
  evaluator:
    class_path: slimgan_pl.evaluation.Evaluator
    init_args: {extractor: digits, num_fake: 60, batch_size: 30, metrics: [fid, mic]}
data:
  class_path: slimgan_pl.data.DigitsDataModule
  init_args: {batch_size: 64}
"""  # an epoch is 21 iterations

RESUME = ("fit", "--config", "config.yaml", "--ckpt_path", "last")

TIMES = ("seconds", "device_seconds")  # what two runs never share


class Commands:
    """Starts the command in new processes; a server that has imported it already forks them, so each takes no time."""

    def __init__(self) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["slimgan_pl.cli.lightning_commands"])

    def start(
        self, folder: Path, args: Sequence[str] = RESUME, settings: Mapping[str, str] | None = None
    ) -> BaseProcess:
        """Return a process that runs the command in a folder; what it says is added to ``log.txt`` there.

        Args:
            folder: The working directory.
            args: Words of the command line.
            settings: Environment variables.
        """
        process = self.context.Process(target=run_command, args=(folder, list(args), dict(settings or {})))
        process.start()
        return process

    def finish(self, folder: Path, args: Sequence[str] = RESUME, settings: Mapping[str, str] | None = None) -> int:
        """Run the command to its end and return its status."""
        process = self.start(folder, args, settings)
        process.join(240)
        assert process.exitcode is not None, "it hangs"
        return process.exitcode


def run_command(folder: Path, args: list[str], settings: dict[str, str]) -> None:
    """Run the command as a process of its own would."""
    os.environ.update(settings)
    os.chdir(folder)
    log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    torch.set_num_threads(1)
    cli.main(args)


def make_folder(parent: Path, name: str, config: str = CONFIG) -> Path:
    """Return a new folder with a configuration."""
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(config)
    return folder


def outcome(run: Path) -> dict[str, Any]:
    """Return all that a run leaves behind, without times: checkpoints, metrics, results, pictures."""
    left: dict[str, Any] = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.suffix == ".ckpt":
            left[name] = read_checkpoint(path)
        elif path.suffix == ".json":
            left[name] = json.loads(path.read_text())
            left[name].pop("checkpoint")  # the digest of a file that holds times
        elif path.suffix == ".csv":
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            left[name] = [{key: value for key, value in row.items() if not key.startswith("pace/")} for row in rows]
        elif path.suffix == ".png":
            left[name] = path.read_bytes()
    return left


def last_run(folder: Path) -> Path:
    """Return the run that came to its end; one that is killed before its first save begins again in a new folder."""
    return max((folder / "runs").iterdir(), key=lambda path: int(path.name.removeprefix("version_")))


def differences(first: Any, second: Any, where: str = "") -> list[str]:
    """Return where two outcomes differ in a bit."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        keys = [key for key in {**first, **second} if key not in TIMES]
        if missing := [f"{where}/{key}" for key in keys if key not in first or key not in second]:
            return missing
        return [line for key in keys for line in differences(first[key], second[key], f"{where}/{key}")]
    if isinstance(first, list | tuple) and isinstance(second, list | tuple) and len(first) == len(second):
        pairs = enumerate(zip(first, second, strict=True))
        return [line for number, pair in pairs for line in differences(*pair, f"{where}/{number}")]
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return [] if torch.equal(first, second) else [where]
    return [] if first == second else [where]


def kill_until_it_ends(commands: Commands, folder: Path, longest: float, seed: int, most: int) -> tuple[int, list[int]]:
    """Run, kill after a random time and resume, until the run ends by itself.

    Args:
        commands: What starts processes.
        folder: With the configuration.
        longest: Seconds until a kill at most.
        seed: Of the times.
        most: Kills after which it is left alone.

    Returns:
        The number of kills, and the iterations from which it resumed.
    """
    rng, kills = random.Random(seed), 0
    while True:
        process = commands.start(folder)
        process.join(rng.uniform(0, longest) if kills < most else 240)
        if process.exitcode is not None:
            assert process.exitcode == 0, (folder / "log.txt").read_text()[-3000:]
            break
        assert kills < most, "it hangs"
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        kills += 1
    lines = (folder / "log.txt").read_text().splitlines()
    return kills, [int(line.split()[-1].rstrip(".")) for line in lines if line.startswith("Resuming")]


def main(kills: int = 50, longest: float = 4.0, seed: int = 0, json: str | None = None) -> None:
    """Kill runs until there were as many kills as asked for.

    Args:
        kills: How many.
        longest: Seconds until a kill at most.
        seed: Of the times.
        json: File to write the results to.
    """
    root, commands = Path(tempfile.mkdtemp()), Commands()
    os.environ["XDG_CACHE_HOME"] = str(root / "cache")
    whole = make_folder(root, "whole")
    start = time.perf_counter()
    assert commands.finish(whole) == 0, (whole / "log.txt").read_text()
    alone = time.perf_counter() - start
    expected = outcome(whole / "runs" / "version_0")
    done, runs = 0, 0
    resumed: list[int] = []
    while done < kills:
        folder = make_folder(root, f"killed_{runs}")
        count, iterations = kill_until_it_ends(commands, folder, longest, seed + runs, kills - done)
        wrong = differences(expected, outcome(last_run(folder)))
        assert not wrong, f"{folder} differs after {count} kills in {wrong[:5]}"
        done, runs, resumed = done + count, runs + 1, resumed + iterations
    print_table(
        f"{done} kills",
        {
            "runs killed, all equal to one that never stopped": str(runs),
            "resumed from iterations": ", ".join(map(str, sorted(resumed))),
            "seconds of a run alone": f"{alone:.1f}",
        },
    )
    save_json({"kills": done, "runs": runs, "resumed_from": resumed}, json)
    shutil.rmtree(root)


if __name__ == "__main__":
    auto_cli(main)
