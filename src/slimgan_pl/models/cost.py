"""Parameters and multiply-accumulates of a width."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from slimgan_pl.models.generator import SlimmableGenerator
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["count_macs", "count_parameters"]


def count_parameters(generator: SlimmableGenerator, width: float) -> int:
    """Return the number of parameters of one width alone."""
    try:
        with torch.device("meta"):  # shapes without values
            narrow = type(generator)(**generator.arguments_at(width))
    except (NotImplementedError, RuntimeError):  # of a third-party net that reads a value
        narrow = generator.slice(width)
    return sum(parameter.numel() for parameter in narrow.parameters())


@torch.no_grad()
def count_macs(generator: SlimmableGenerator, width: float) -> int:
    """Return the multiply-accumulates of convolutions and linear layers for one image."""
    latents = torch.zeros(1, generator.latent_dim, device=generator.device, dtype=generator.dtype)
    labels = torch.zeros(1, device=generator.device, dtype=torch.long) if generator.num_classes else None
    with evaluating(generator), FlopCounterMode(display=False) as counter:
        generator(latents, labels, width=width)
    return int(counter.get_total_flops()) // 2
