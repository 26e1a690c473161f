"""Overhead of the runtime and its adaptation: ``python benchmarks/runtime.py --json FILE`` from the repository's root.

First the cost of switching widths between calls and of ``Runtime.generate`` over a bare ``session.run``; then a latency
budget while busy processes take the cores and give them back, with widths that adapt and with the widest alone. The
nets have random weights: images mean nothing here, times do.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jsonargparse import auto_cli
from measuring import machine, medians, print_rows, print_table, save_json

from slimgan_pl.export.onnx_graphs import multi_width_graph
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator
from slimgan_runtime import Runtime
from slimgan_runtime.ort import onnxruntime

NETS: dict[str, Callable[[], SlimmableGenerator]] = {
    "dcgan-32": lambda: DCGANGenerator((512, 256, 128, 64)),
    "resnet-32": lambda: ResNetGenerator((256, 256, 256, 256)),
}
WARM_UP = 3
LOADS = ("none", "busy", "none again")


class Call(NamedTuple):
    """A call of ``generate``: when it began, in seconds, its width, and how long it took."""

    begin: float
    load: str
    width: float
    ms: float


def main(
    nets: Sequence[str] = tuple(NETS),
    batch_size: int = 1,
    rounds: int = 40,
    adapting_net: str = "resnet-32",
    slack: float = 1.3,
    seconds: float = 6.0,
    json: str | None = None,
) -> None:
    """Measure the runtime.

    Args:
        nets: Which of dcgan-32 and resnet-32.
        batch_size: Images of each call.
        rounds: Times that each call is measured; the median counts.
        adapting_net: The net whose widths adapt.
        slack: The latency budget, as a multiple of what the widest width takes when nothing else runs.
        seconds: How long each of quiet, load and quiet lasts.
        json: File to write the results to.
    """
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    results: dict[str, Any] = {"switching": {}, "overhead": {}}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # times of these nets are of no use to the user
        files = {name: write(name, Path(folder)) for name in {*nets, adapting_net}}
        for name in nets:
            results["switching"][name] = switching(name, files[name], batch_size, rounds)
            results["overhead"][name] = overhead(name, files[name], batch_size, rounds)
        results["adapting"] = adapting(files[adapting_net], batch_size, slack, seconds)
    save_json(results, json)


def write(name: str, folder: Path) -> Path:
    """Write all widths of a net as one file, the same one each time."""
    torch.manual_seed(0)
    path = folder / f"{name}.onnx"
    path.write_bytes(multi_width_graph(NETS[name]().eval()).SerializeToString())
    return path


def switching(name: str, file: Path, batch_size: int, rounds: int) -> dict[str, Any]:
    """Time each width's call right after one of the same width and right after one of another, in turns."""
    runtime = Runtime(file)
    latents = runtime.latents(batch_size, seed=0)
    stay: dict[float, list[float]] = {width: [] for width in runtime.widths}
    switch: dict[float, list[float]] = {width: [] for width in runtime.widths}
    for turn in range(WARM_UP + rounds):
        for index, width in enumerate(runtime.widths):
            other = runtime.widths[(index + 1 + turn % (len(runtime.widths) - 1)) % len(runtime.widths)]
            for before, times in ((width, stay), (other, switch)):
                runtime.generate(latents, width=before)
                start = time.perf_counter()
                runtime.generate(latents, width=width)
                times[width].append(time.perf_counter() - start)
    rows = {width: [statistics.median(times[width][WARM_UP:]) * 1e3 for times in (stay, switch)] for width in stay}
    total = sum(row[1] for row in rows.values()) / sum(row[0] for row in rows.values())
    print_rows(
        f"{name}: a call after one of the same width and of another, all together {total:.3f} times as long",
        ["width", "same ms", "other ms", "ratio"],
        [[f"{width:g}", f"{same:.3f}", f"{other:.3f}", f"{other / same:.3f}"] for width, (same, other) in rows.items()],
    )
    return {"ratio": total, "same_ms_other_ms": {f"{width:g}": row for width, row in rows.items()}}


def overhead(name: str, file: Path, batch_size: int, rounds: int) -> dict[str, Any]:
    """Time ``generate`` against a bare ``session.run``, both on one thread, so that neither waits for the other's."""
    runtime = Runtime(file, threads=1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    latents = runtime.latents(batch_size, seed=0)
    result = {}
    for index, width in enumerate(runtime.widths):
        feed = {"latents": latents, "width": np.array(index)}
        functions = {
            "bare": partial(session.run, None, feed),
            "generate": partial(runtime.generate, latents, width=width),
        }
        medians(functions, WARM_UP)
        result[f"{width:g}"] = {key: value * 1e3 for key, value in medians(functions, rounds).items()}
    print_rows(
        f"{name}: generate over a bare run, one thread",
        ["width", "bare ms", "generate ms", "ratio"],
        [
            [width, f"{row['bare']:.3f}", f"{row['generate']:.3f}", f"{row['generate'] / row['bare']:.3f}"]
            for width, row in result.items()
        ],
    )
    return result


def adapting(file: Path, batch_size: int, slack: float, seconds: float) -> dict[str, Any]:
    """Generate while busy processes come and go, with widths that adapt and with the widest alone."""
    budget_ms = slack * Runtime(file, budget_ms=1, batch_size=batch_size).latencies_ms[1.0]
    result: dict[str, Any] = {"budget_ms": budget_ms}
    for name, width in (("adapting", None), ("widest alone", 1.0)):
        runtime = Runtime(file, budget_ms=budget_ms, batch_size=batch_size)
        calls: list[Call] = []
        for load in LOADS:
            with busy_processes(2 * (os.cpu_count() or 1) if load == "busy" else 0):
                calls += generate_for(seconds, runtime, batch_size, load, width)
        show_timeline(f"{name}, budget {budget_ms:.1f} ms", calls, budget_ms)
        result[name] = {
            "within_budget": {
                load: within(list(some), budget_ms) for load, some in groupby(calls, lambda call: call.load)
            },
            **reactions(calls),
        }
        print_table(f"{name}: share within budget, and calls until the width follows", flat(result[name]))
    return result


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep cores busy."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def generate_for(seconds: float, runtime: Runtime, batch_size: int, load: str, width: float | None) -> Iterator[Call]:
    """Yield calls, one after the other."""
    latents, begin = runtime.latents(batch_size, seed=0), time.perf_counter()
    while (start := time.perf_counter()) - begin < seconds:
        now = runtime.width if width is None else width
        runtime.generate(latents, width=width)
        yield Call(start, load, now, (time.perf_counter() - start) * 1e3)


def within(calls: Sequence[Call], budget_ms: float) -> float:
    """Return the share of calls that took at most the budget."""
    return sum(call.ms <= budget_ms for call in calls) / len(calls)


def reactions(calls: Sequence[Call]) -> dict[str, int | None]:
    """Return the calls under load before the first narrower one, and without load before the first widest again."""
    widest = max(call.width for call in calls)
    busy = [call.width < widest for call in calls if call.load == "busy"]
    after = [call.width == widest for call in calls if call.load == "none again"]
    return {
        "calls_until_down": busy.index(True) if True in busy else None,
        "calls_until_up": after.index(True) if True in after else None,
    }


def flat(results: dict[str, Any]) -> dict[str, str]:
    """Return results as texts."""
    shares = {f"within budget, load {load}": f"{share:.1%}" for load, share in results["within_budget"].items()}
    calls = {key.replace("_", " "): str(value) for key, value in results.items() if key.startswith("calls")}
    return shares | calls


def show_timeline(title: str, calls: Sequence[Call], budget_ms: float) -> None:
    """Print a row per second."""
    begin, rows = calls[0].begin, []
    for (second, load), group in groupby(calls, lambda call: (int(call.begin - begin), call.load)):
        some = list(group)
        widths = [call.width for call in some]
        median = statistics.median(call.ms for call in some)
        used = f"{min(widths):g} to {max(widths):g}" if len(set(widths)) > 1 else f"{widths[0]:g}"
        rows.append([str(second), load, str(len(some)), used, f"{median:.1f}", f"{within(some, budget_ms):.0%}"])
    print_rows(title, ["second", "load", "calls", "width", "median ms", "within budget"], rows)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
