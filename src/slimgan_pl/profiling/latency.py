"""How long a generator takes to draw, on the device that it is on."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from slimgan_pl.errors import check_range
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.folding import folded_slice
from slimgan_pl.utils.environment import synchronize

__all__ = ["Draw", "Form", "Latency", "make_draw", "measure_latencies", "measure_latency", "narrow_net"]

WARM_UP = 3  # draws of each net and batch size that are not timed, for what is loaded and chosen at first

TURN = 2  # timed draws in a row: few, so that there are many turns for a disturbance to hit only some of

MAX_ROUNDS = 1_000_000

Form = Literal["slice", "folded"]

Draw = tuple[Tensor, Tensor | None]


class Latency(NamedTuple):
    """How long a batch takes, in seconds: the median and the 95th percentile over ``rounds`` draws."""

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
    """Measure how long one width takes to draw a batch; the generator and the global randomness stay as they are.

    Args:
        generator: Any slimmable generator, in either mode.
        width: One of its widths.
        batch_size: Images drawn at once.
        rounds: Times that the batch is drawn, at least.
        seconds: How long it is drawn again, at least.
        form: The width's ``slice``, or that ``folded`` for inference.
    """
    return measure_latencies([narrow_net(generator, width, form)], [batch_size], rounds, seconds)[0][0]


def measure_latencies(
    nets: Sequence[SlimmableGenerator], batch_sizes: Sequence[int], rounds: int = 30, seconds: float = 0.0
) -> list[list[Latency]]:
    """Measure how long nets take to draw batches, each at its full width and in evaluation mode.

    All nets and batch sizes take turns, so that a busy machine slows all of them. A turn starts with a draw that is not
    timed: its weights may have left the caches since the last.

    Args:
        nets: Generators, all on one device.
        batch_sizes: Images drawn at once.
        rounds: Times that each is timed, at least.
        seconds: How long turns are taken, at least.

    Returns:
        A row per net with an entry per batch size.
    """
    check_range("rounds", rounds, 1, MAX_ROUNDS)
    turns = [(net, make_draw(net, batch_size)) for net in nets for batch_size in batch_sizes]
    times: list[list[float]] = [[] for _ in turns]
    with inference(nets[0].device):
        for net, draw in turns:
            take_turn(net, draw, WARM_UP)
        start = time.perf_counter()
        while len(times[-1]) < rounds or time.perf_counter() - start < seconds:
            for (net, draw), mine in zip(turns, times, strict=True):
                mine += take_turn(net, draw, TURN)
    columns = len(batch_sizes)
    entries = [summary(len(draw[0]), mine) for (_, draw), mine in zip(turns, times, strict=True)]
    return [entries[row : row + columns] for row in range(0, len(entries), columns)]


def narrow_net(generator: SlimmableGenerator, width: float, form: Form = "slice") -> SlimmableGenerator:
    """Return one width as a net of its own for inference, leaving the global randomness as it is."""
    with torch.random.fork_rng(devices=[]):  # a new net is initialized before it gets its weights
        narrow = folded_slice(generator, width) if form == "folded" else generator.slice(width)
    return narrow.eval().requires_grad_(False)


def make_draw(net: SlimmableGenerator, batch_size: int) -> Draw:
    """Return latents ``(N, latent_dim)`` and, if there are classes, labels ``(N,)``, on a net's device."""
    check_range("the batch size", batch_size, 1)
    source = torch.Generator().manual_seed(0)
    latents = torch.randn(batch_size, net.latent_dim, generator=source).to(net.device, net.dtype)
    labels = torch.arange(batch_size, device=latents.device) % net.num_classes if net.num_classes else None
    return latents, labels


@contextmanager
def inference(device: torch.device) -> Iterator[None]:
    """Compute without a graph and in the precision of the weights."""
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        yield


def take_turn(net: SlimmableGenerator, draw: Draw, count: int) -> list[float]:
    """Return the seconds of some draws, after one that is not timed."""
    device, times = draw[0].device, []
    for _ in range(count + 1):
        synchronize(device)
        start = time.perf_counter()
        net(*draw)
        synchronize(device)
        times.append(time.perf_counter() - start)
    return times[1:]


def summary(batch_size: int, times: Sequence[float]) -> Latency:
    """Return the median and the 95th percentile of times."""
    median, p95 = map(float, np.quantile(times, (0.5, 0.95)))
    return Latency(batch_size, median, p95, batch_size / median, len(times))
