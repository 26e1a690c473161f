"""How long each width takes for an image."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from slimgan_pl.errors import UserError
from slimgan_pl.models import SlimmableGenerator

__all__ = ["Latency", "measure_latency", "read_latency"]

WARM_UP, ROUNDS = 3, 30

SHORTEST = 1e-9  # seconds; what is shorter was not measured


class Latency(NamedTuple):
    """Seconds per width for a batch, how they were measured, and whether that was done shortly."""

    seconds: dict[float, float]
    how: str
    is_rough: bool = False


def read_latency(path: Path) -> Latency | None:
    """Return what ``slimgan profile`` has measured for its smallest batch, or None if it has not.

    Raises:
        UserError: If the file does not hold that.
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
        raise UserError(f"{path} does not hold what slimgan profile measures") from error
    where = ", ".join(str(profile[key]) for key in ("processor", "device") if profile.get(key))
    threads = f", {threads_text(profile['threads'])}" if profile.get("threads") else ""
    return Latency(seconds, f"slimgan profile, batch of {batch}, {where or 'unknown device'}{threads}, median")


@torch.inference_mode()
def measure_latency(generator: SlimmableGenerator) -> Latency:
    """Measure a batch of one at every width on the CPU, shortly.

    The widths take turns, so that what else the machine does hits all of them alike.
    """
    draws = {width: drawing(generator, width) for width in generator.widths}
    times: dict[float, list[float]] = {width: [] for width in draws}
    for number in range(WARM_UP + ROUNDS):
        for width, draw in draws.items():
            began = time.perf_counter()
            draw()
            if number >= WARM_UP:
                times[width].append(time.perf_counter() - began)
    how = f"measured for this page, batch of 1, CPU, {threads_text(torch.get_num_threads())}, median of {ROUNDS}"
    return Latency({width: median(values) for width, values in times.items()}, how, is_rough=True)


def drawing(generator: SlimmableGenerator, width: float) -> Callable[[], object]:
    """Return what draws one image at a width, with that width's weights alone."""
    narrow = generator.slice(width).eval()
    latents = torch.zeros(1, narrow.latent_dim, dtype=narrow.image.weight.dtype)
    labels = torch.zeros(1, dtype=torch.long) if narrow.num_classes else None
    return lambda: narrow(latents, labels)


def threads_text(number: int) -> str:
    return f"{number} {'thread' if number == 1 else 'threads'}"
