"""Parameters and multiply-accumulates of a width."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from slimgan_pl.models.generator import SlimmableGenerator

__all__ = ["count_macs", "count_parameters"]


def count_parameters(generator: SlimmableGenerator, width: float) -> int:
    """Return the number of parameters of one width alone."""
    return sum(parameter.numel() for parameter in generator.slice(width).parameters())


@torch.no_grad()
def count_macs(generator: SlimmableGenerator, width: float) -> int:
    """Return the multiply-accumulates of convolutions and linear layers for one image."""
    narrow = generator.slice(width).eval().cpu().float()
    labels = torch.zeros(1, dtype=torch.long) if narrow.num_classes else None
    with FlopCounterMode(display=False) as counter:
        narrow(torch.zeros(1, narrow.latent_dim), labels)
    return int(counter.get_total_flops()) // 2
