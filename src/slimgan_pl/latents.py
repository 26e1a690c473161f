"""Latents and labels of the training step."""

import numpy as np
import torch
from torch import Tensor

from slimgan_pl.models import SlimmableGenerator

__all__ = ["Latents", "draw_latents", "iteration_seed"]

Latents = tuple[Tensor, Tensor | None]


def iteration_seed(seed: int, iteration: int, rank: int) -> int:
    """Return the seed of an iteration's latents on one process: a pure function, so that resuming is exact."""
    return int(np.random.SeedSequence([seed, iteration, rank]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def draw_latents(
    net: SlimmableGenerator, sets: int, batch_size: int, source: torch.Generator, repeats: int = 1
) -> Latents:
    """Draw latents ``(sets * repeats, batch_size, latent_dim)``, and labels ``(sets * repeats, batch_size)`` or None.

    ``repeats`` gives a single set several times.
    """
    device = source.device
    latents = torch.randn((sets, batch_size, net.latent_dim), generator=source, device=device, dtype=torch.float32)
    latents = latents.to(net.image.weight.dtype).expand(sets * repeats, -1, -1)
    if not net.num_classes:
        return latents, None
    labels = torch.randint(net.num_classes, (sets, batch_size), generator=source, device=device)
    return latents, labels.expand(sets * repeats, -1)
