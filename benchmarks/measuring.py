"""What the benchmarks share: the machine's name, times taken in turns, tables and JSON."""

import json
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from slimgan_pl.utils import environment

__all__ = ["best_device", "machine", "medians", "peak_memory", "print_rows", "print_table", "save_json", "synchronize"]


def best_device() -> torch.device:
    """Return the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def synchronize() -> None:
    """Wait until the device has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def machine() -> dict[str, Any]:
    """Return what the results depend on, as plain values."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        **environment.machine(best_device()),
        **environment.versions(),
    }


def peak_memory() -> int:
    """Return the most bytes used so far: of the GPU if there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    # On Linux ru_maxrss begins with the peak of the process that started this one.
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def medians(functions: Mapping[str, Callable[[], object]], rounds: int, rest: float = 0.0) -> dict[str, float]:
    """Return the median seconds of each function; they take turns, so that a busy machine slows all of them.

    Args:
        functions: What is timed.
        rounds: Turns.
        rest: Seconds to rest before each turn, which then begins with a call that does not count. Threads of one
            library that still wait in a loop for work would slow the next one's.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            if rest:
                time.sleep(rest)
                function()
            synchronize()
            start = time.perf_counter()
            function()
            synchronize()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def print_table(title: str, rows: Mapping[str, str]) -> None:
    """Print names and values."""
    table = Table(title=title, box=SIMPLE_HEAD, show_header=False, title_justify="left")
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)


def print_rows(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a name and numbers per row."""
    table = Table(*heads[:1], title=title, box=SIMPLE_HEAD, title_justify="left")
    for head in heads[1:]:
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*row)
    Console(width=max(Console().width, 12 * len(heads))).print(table)


def save_json(results: dict[str, Any], path: str | None) -> None:
    """Write results with their machine, if there is a path."""
    if path is not None:
        Path(path).write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")
