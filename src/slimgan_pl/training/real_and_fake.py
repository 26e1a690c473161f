"""Batches of images that the discriminators compare, and their random numbers.

Shape legend: N images, M penalised images, C channels, H = W pixels a side, K random numbers per image.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from slimgan_pl.training.penalties import choose_images

__all__ = ["NO_DRAWS", "Draws", "Images", "choose", "join"]


class Images(NamedTuple):
    """Images ``(N, C, H, W)``, their labels ``(N,)``, and numbers ``(N, K)`` that augment them."""

    images: Tensor
    labels: Tensor | None = None
    numbers: Tensor | None = None


class Draws(NamedTuple):
    """Random numbers of an update beside its latents.

    Attributes:
        real: Numbers ``(N, K)`` that augment the real images.
        fakes: Numbers ``(N, K)`` that augment the fakes, by width.
        directions: Standard normal directions ``(M, C, H, W)`` of finite differences.
    """

    real: Tensor | None = None
    fakes: Mapping[int, Tensor] | None = None
    directions: Tensor | None = None


NO_DRAWS = Draws()


def choose(batch: Images, count: int) -> Images:
    """Return ``count`` images of a batch, evenly spaced."""
    rows = choose_images(count, len(batch.images))
    return Images(*(None if values is None else values[rows] for values in batch))  # type: ignore[arg-type]


def join(*batches: Images) -> Images:
    """Return batches in one."""
    joined = (None if values[0] is None else torch.cat(values) for values in zip(*batches, strict=True))
    return Images(*joined)  # type: ignore[arg-type]
