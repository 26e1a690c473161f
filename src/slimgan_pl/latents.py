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
    net: SlimmableGenerator, sets: int, batch_size: int, source: torch.Generator, shared: bool
) -> list[Latents]:
    """Draw ``sets`` batches of latents ``(batch_size, latent_dim)`` and labels; shared ones are one batch, repeated."""
    shape = (1 if shared else sets, batch_size, net.latent_dim)
    latents = torch.randn(shape, generator=source, device=source.device, dtype=torch.float32)
    drawn: list[Latents] = [(batch.to(net.image.weight.dtype), None) for batch in latents]
    if net.num_classes:
        labels = torch.randint(net.num_classes, shape[:2], generator=source, device=source.device)
        drawn = [(pair[0], batch) for pair, batch in zip(drawn, labels, strict=True)]
    return drawn * sets if shared else drawn
