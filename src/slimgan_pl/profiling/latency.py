"""Time that a generator takes for a batch, on its device."""

import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch

from slimgan_pl.errors import check_range
from slimgan_pl.models import Inputs, SlimmableGenerator
from slimgan_pl.models.folding import folded_slice
from slimgan_pl.utils.environment import synchronize

__all__ = ["Form", "Latency", "make_inputs", "measure_latencies", "measure_latency", "narrow_net"]

WARM_UP = 3  # batches of each net and batch size that are not timed: the first load and choose kernels

TURN = 2  # timed batches in a row: few, so that there are many turns and a disturbance hits only some

MAX_ROUNDS = 1_000_000

Form = Literal["slice", "folded"]


class Latency(NamedTuple):
    """Median and 95th percentile of a batch's seconds over ``rounds`` batches."""

    batch_size: int
    median_s: float
    p95_s: float
    images_per_second: float  # by the median
    rounds: int


def measure_latency(
    generator: SlimmableGenerator,
    width: float = 1.0,
    batch_size: int = 1,
    rounds: int = 30,
    seconds: float = 0.0,
    form: Form = "slice",
) -> Latency:
    """Measure the time of a batch at one width.

    The generator and the global randomness stay as they are.

    Args:
        generator: Any slimmable generator, in either mode.
        width: One of its widths.
        batch_size: Images in a batch.
        rounds: Least number of timed batches.
        seconds: Least time to measure for.
        form: The width's ``slice``, or its form ``folded`` for inference.
    """
    return measure_latencies([narrow_net(generator, width, form)], [batch_size], rounds, seconds)[0][0]


def measure_latencies(
    nets: Sequence[SlimmableGenerator], batch_sizes: Sequence[int], rounds: int = 30, seconds: float = 0.0
) -> list[list[Latency]]:
    """Measure the time of batches of several nets at full width.

    All nets and batch sizes take turns, so that a busy machine slows all of them. A turn starts with a batch that is
    not timed: the weights may have left the caches since the last.

    Args:
        nets: Generators in evaluation mode, all on one device.
        batch_sizes: Images in a batch.
        rounds: Least number of timed batches of each.
        seconds: Least time to take turns for.

    Returns:
        A row per net with an entry per batch size.
    """
    check_range("rounds", rounds, 1, MAX_ROUNDS)
    turns = [(net, make_inputs(net, batch_size)) for net in nets for batch_size in batch_sizes]
    times: list[list[float]] = [[] for _ in turns]
    with torch.inference_mode(), torch.autocast(nets[0].device.type, enabled=False):
        for net, inputs in turns:
            take_turn(net, inputs, WARM_UP)
        start = time.perf_counter()
        while len(times[-1]) < rounds or time.perf_counter() - start < seconds:
            for (net, inputs), mine in zip(turns, times, strict=True):
                mine += take_turn(net, inputs, TURN)
    columns = len(batch_sizes)
    entries = [summarize(len(inputs.latents), mine) for (_, inputs), mine in zip(turns, times, strict=True)]
    return [entries[row : row + columns] for row in range(0, len(entries), columns)]


def narrow_net(generator: SlimmableGenerator, width: float, form: Form = "slice") -> SlimmableGenerator:
    """Return one width as a net for inference; global randomness stays."""
    with torch.random.fork_rng(devices=[]):  # a new net is initialized before it gets its weights
        narrow = folded_slice(generator, width) if form == "folded" else generator.slice(width)
    return narrow.eval().requires_grad_(False)


def make_inputs(net: SlimmableGenerator, batch_size: int) -> Inputs:
    """Return fixed inputs of all classes in turn, on the net's device."""
    check_range("the batch size", batch_size, 1)
    labels = torch.arange(batch_size) % net.num_classes if net.num_classes else None
    return net.draw_inputs(batch_size, torch.Generator().manual_seed(0), labels)


def take_turn(net: SlimmableGenerator, inputs: Inputs, count: int) -> list[float]:
    """Return the seconds of some batches, after one that is not timed."""
    device, times = inputs.latents.device, []
    for _ in range(count + 1):
        synchronize(device)
        start = time.perf_counter()
        net(*inputs)
        synchronize(device)
        times.append(time.perf_counter() - start)
    return times[1:]


def summarize(batch_size: int, times: Sequence[float]) -> Latency:
    """Return the median and the 95th percentile of times."""
    median, p95 = map(float, np.quantile(times, (0.5, 0.95)))
    return Latency(batch_size, median, p95, batch_size / median, len(times))
