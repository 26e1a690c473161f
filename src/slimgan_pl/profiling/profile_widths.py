"""Sizes, arithmetic, time and memory of a generator's widths."""

from collections.abc import Sequence
from typing import Any

import torch

from slimgan_pl.models import SlimmableGenerator, count_macs
from slimgan_pl.profiling.latency import Form, measure_latencies, narrow_net
from slimgan_pl.profiling.memory import peak_bytes

__all__ = ["profile_widths", "sizes"]


def profile_widths(
    generator: SlimmableGenerator,
    batch_sizes: Sequence[int] = (1, 64),
    rounds: int = 30,
    seconds: float = 0.0,
    form: Form = "slice",
) -> list[dict[str, Any]]:
    """Measure every width on the generator's device, leaving it unchanged.

    Args:
        generator: Any slimmable generator, in either mode.
        batch_sizes: Images in a batch.
        rounds: Least number of timed batches of each width and batch size.
        seconds: Least time to take turns for.
        form: Each width's ``slice``, or its form ``folded`` for inference.

    Returns:
        A row of plain values per width, narrow to wide, with ``width``, ``macs`` for one image, ``parameters``,
        ``weight_bytes``, and ``latency``, a list with an entry per batch size.
    """
    nets = [narrow_net(generator, width, form) for width in generator.widths]
    latencies = measure_latencies(nets, batch_sizes, rounds, seconds)
    rows = []
    for width, net, entries in zip(generator.widths, nets, latencies, strict=True):
        with torch.random.fork_rng(devices=[]):
            macs = count_macs(generator, width)
        timed = [{**entry._asdict(), "peak_bytes": peak_bytes(net, entry.batch_size)} for entry in entries]
        rows.append({"width": width, "macs": macs, **sizes(net), "latency": timed})
    return rows


def sizes(net: SlimmableGenerator) -> dict[str, int]:
    """Return the number of parameters, and bytes with batch-norm statistics."""
    return {
        "parameters": sum(parameter.numel() for parameter in net.parameters()),
        "weight_bytes": sum(tensor.nbytes for tensor in net.state_dict().values()),
    }
