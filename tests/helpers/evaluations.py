"""Small evaluations that tests share."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slimgan_pl.data import ByteArray
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.models import DCGANGenerator, SlimmableGenerator

__all__ = ["WIDTHS", "MeanColour", "digits", "generator", "noise", "repeatable"]

WIDTHS = (0.25, 0.5, 1.0)


class MeanColour(nn.Module):
    """Features alone: the mean of each colour and of its square."""

    scale = 1.0

    def forward(self, images: Tensor) -> Tensor:
        assert images.dtype == torch.uint8
        means = images.float().mean(dim=(2, 3)) / 255
        return torch.cat([means, means**2], 1) * self.scale


def generator(**settings: Any) -> SlimmableGenerator:
    net = DCGANGenerator((8, 8, 8), latent_dim=8, image_channels=1, widths=WIDTHS, **settings)
    return net.eval()


def noise(count: int, size: int = 16, folder: Path | None = None) -> ByteArray:
    """Return grey images of noise, always the same."""
    images = np.random.default_rng(0).integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return ByteArray(images, None, folder)


def digits(**settings: Any) -> Evaluator:
    return Evaluator("digits", **{"num_fake": 50, "splits": 2, **settings})


def repeatable(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without its time, which no other evaluation repeats."""
    return {key: value for key, value in result.items() if key != "seconds"}
