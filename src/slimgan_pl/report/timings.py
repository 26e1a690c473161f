"""Latency of each width."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.profiling import measure_latencies, narrow_net

__all__ = ["Timings", "measure_here", "read_profile"]

ROUNDS = 30

SHORTEST = 1e-9  # seconds; what is shorter was not measured


class Timings(NamedTuple):
    """Seconds per batch by width, how they were measured, and whether roughly."""

    seconds: dict[float, float]
    how: str
    is_rough: bool = False


def read_profile(path: Path) -> Timings | None:
    """Return the latencies of a profile's smallest batch, or None without one.

    Raises:
        SlimGANError: If the file is no profile.
    """
    try:
        profile = json.loads(path.read_text(encoding="utf-8"))
        seconds, batch = {}, 1
        for row in profile["widths"]:
            smallest = min(row["latency"], key=lambda entry: int(entry["batch_size"]))
            seconds[float(row["width"])], batch = float(smallest["median_s"]), int(smallest["batch_size"])
        if not seconds or not all(SHORTEST < value < float("inf") for value in seconds.values()):
            raise ValueError("times are missing")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SlimGANError(f"{path} does not hold what slimgan profile measures") from error
    return Timings(seconds, f"slimgan profile, batch of {batch}, {conditions(profile)}, median")


def conditions(profile: dict[str, Any]) -> str:
    """Return the form of the nets, the device, and a CPU's threads."""
    form = ["folded"] if profile.get("form") == "folded" else []
    if profile.get("device") != "cpu":
        return ", ".join([*form, str(profile.get("device") or "unknown device")])
    threads = [threads_text(profile["threads"])] if profile.get("threads") else []
    return ", ".join([*form, str(profile.get("processor") or "CPU"), *threads])


def measure_here(generator: SlimmableGenerator) -> Timings:
    """Measure a batch of one at every width, in a short time."""
    nets = [narrow_net(generator, width) for width in generator.widths]
    rows = measure_latencies(nets, [1], ROUNDS)
    seconds = {width: row[0].median_s for width, row in zip(generator.widths, rows, strict=True)}
    how = f"measured for this page, batch of 1, CPU, {threads_text(torch.get_num_threads())}, median of {ROUNDS}"
    return Timings(seconds, how, is_rough=True)


def threads_text(number: int) -> str:
    return f"{number} {'thread' if number == 1 else 'threads'}"
