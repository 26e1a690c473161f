"""Batches of images that the discriminators compare, and their random numbers.

Shape legend: N images, M penalized images, C channels, H x W pixels.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from slimgan_pl.training.augmentation import View
from slimgan_pl.training.penalties import choose_images

__all__ = ["NO_RANDOMNESS", "Images", "Randomness", "choose", "join"]


class Images(NamedTuple):
    """Images ``(N, C, H, W)``, labels ``(N,)``, and augmentation."""

    images: Tensor
    labels: Tensor | None = None
    view: View | None = None


class Randomness(NamedTuple):
    """Random numbers of an update beside its latents.

    Attributes:
        real: How the real images are augmented.
        fakes: How the fakes are augmented, by width.
        directions: Standard normal directions ``(M, C, H, W)`` of finite differences.
        noise: Noise of the generator's passes, by width; empty for a generator without noise.
        distilled: Noise of its passes for distillation.
    """

    real: View | None = None
    fakes: Mapping[int, View] | None = None
    directions: Tensor | None = None
    noise: Mapping[int, Any] = MappingProxyType({})
    distilled: Any = None


NO_RANDOMNESS = Randomness()


def choose(batch: Images, count: int, multiple: int) -> Images:
    """Return ``count`` images of a batch, evenly spaced groups of ``multiple``."""
    rows = choose_images(count, len(batch.images), batch.images.device, multiple)
    chosen: Images = pytree.tree_map_only(Tensor, lambda values: values.index_select(0, rows), batch)
    return chosen


def join(*batches: Images) -> Images:
    """Return batches in one."""
    joined: Images = pytree.tree_map(lambda *values: None if values[0] is None else torch.cat(values), *batches)
    return joined
