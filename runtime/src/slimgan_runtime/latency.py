"""Latency of each width on this device, measured once and cached."""

import hashlib
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from slimgan_runtime.ort import onnxruntime

__all__ = ["LatencyCache", "measure", "num_cores"]

FORMAT = 1  # part of every key: raise it when the way to measure changes

WARM_UP = 2  # calls of each width that do not count
ROUNDS = 25  # calls of each width, at most
SECONDS = 0.25  # that all calls of a width may take together, if one call is shorter

CPU_FIELDS = ("model name", "Model", "Hardware", "CPU implementer", "CPU part")  # of /proc/cpuinfo


def measure(generate: Callable[[float], object], widths: Sequence[float]) -> dict[float, float]:
    """Return the median milliseconds of a call at each width.

    Widths take turns, so that a disturbance slows all of them.
    """
    times: dict[float, list[float]] = {width: [] for width in widths}
    begin = time.perf_counter()
    for turn in range(WARM_UP + ROUNDS):
        if turn > WARM_UP and time.perf_counter() - begin > SECONDS * len(widths):
            break
        for width in widths:
            start = time.perf_counter()
            generate(width)
            times[width].append(time.perf_counter() - start)
    return {width: 1e3 * statistics.median(values[WARM_UP:]) for width, values in times.items()}


class LatencyCache:
    """Cache file of one generator's latencies on one device.

    A file that is damaged, or of something else, is as good as none, and so is a folder that cannot be written.
    """

    def __init__(self, files: Sequence[Path], widths: Sequence[float], threads: int | None, batch_size: int) -> None:
        self.widths = widths
        self.key = {
            "format": FORMAT,
            "files": [file_sha256(file) for file in files],
            "onnxruntime": onnxruntime.__version__,
            "cpu": cpu_name(),
            "host": platform.node(),
            "cores": num_cores(),
            "threads": threads,
            "batch_size": batch_size,
        }
        digest = hashlib.sha256(json.dumps(self.key, sort_keys=True).encode()).hexdigest()
        self.name = f"latencies-{digest[:16]}.json"

    def load(self) -> dict[float, float] | None:
        """Return the milliseconds of each width, or None without a valid file."""
        try:
            about = json.loads((cache_dir() / self.name).read_text())
            found = {float(width): float(value) for width, value in about["latencies_ms"].items()}
            is_ours = about["key"] == self.key
        except (AttributeError, KeyError, OSError, RecursionError, RuntimeError, TypeError, ValueError):
            return None
        positive = all(0 < value < math.inf for value in found.values())
        return found if is_ours and positive and sorted(found) == sorted(self.widths) else None

    def save(self, latencies_ms: Mapping[float, float]) -> None:
        """Write the file atomically, if the system allows it."""
        text = json.dumps({"key": self.key, "latencies_ms": {repr(key): value for key, value in latencies_ms.items()}})
        with suppress(OSError, RuntimeError):
            folder = cache_dir()
            folder.mkdir(parents=True, exist_ok=True)
            scratch = folder / f".{self.name}-{uuid4().hex}"
            try:
                scratch.write_text(text + "\n")
                scratch.replace(folder / self.name)
            finally:
                scratch.unlink(missing_ok=True)


def cache_dir() -> Path:
    """Return the folder ``slimgan-runtime`` in the user's cache folder."""
    folders = {"win32": os.environ.get("LOCALAPPDATA"), "darwin": "~/Library/Caches"}
    folder = os.environ.get("XDG_CACHE_HOME") or folders.get(sys.platform) or "~/.cache"
    return Path(folder).expanduser() / "slimgan-runtime"


def num_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    """Return the processor's name in this system."""
    with suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "linux" and (name := cpu_of(Path("/proc/cpuinfo").read_text())):
            return name
        if sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    return platform.processor() or platform.machine()


def cpu_of(cpuinfo: str) -> str:
    """Return the processor in Linux's ``cpuinfo``; on ARM, its part numbers."""
    lines = [line.partition(":") for line in cpuinfo.splitlines()]
    values = {name.strip(): set[str]() for name, _, _ in lines}
    for name, _, value in lines:
        values[name.strip()].add(value.strip())
    return " ".join(value for field in CPU_FIELDS for value in sorted(values.get(field, ())))


def file_sha256(file: Path) -> str:
    """Return a file's SHA-256."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()
