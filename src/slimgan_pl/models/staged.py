"""Generators of a linear stem, blocks, and an image layer.

A net is a schedule: ``channels[0]`` at ``bottom_size`` pixels a side, then one block per further entry, each doubling
the side. Shape legend: N images, C channels, H = W pixels a side.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from typing_extensions import Self

from slimgan_pl.errors import check_choice, check_range
from slimgan_pl.layers import (
    SliceableConditionalBatchNorm2d,
    SlicedConv2d,
    SlicedLinear,
    SwitchableBatchNorm2d,
    SwitchableConditionalBatchNorm2d,
    initialized,
)
from slimgan_pl.models.generator import WIDTHS, SlimmableGenerator

__all__ = ["ConditionalNorm", "StagedGenerator"]

ConditionalNorm = Literal["sliceable", "switchable"]


class StagedGenerator(SlimmableGenerator, ABC):
    """Base of the paper's generators, which loop over blocks.

    Args:
        channels: Channels at width 1.0, from the bottom up.
        bottom_size: Side in pixels at which the stem starts.
        latent_dim: Numbers in a latent, from N(0, 1).
        image_channels: Channels of the images, never sliced; by default 3 in Python, and the data's in the command.
        widths: Ascending shares of the channels, the last 1.0.
        num_classes: Classes of a conditional generator; 0 for an unconditional one.
        conditional_norm: Conditional batch norm whose class affine all widths share, or one per width.

    Raises:
        SlimGANError: If a width does not divide the channels of a stage exactly, or a number is out of range.
    """

    def __init__(
        self,
        channels: Sequence[int],
        bottom_size: int = 4,
        latent_dim: int = 128,
        image_channels: int | None = None,
        widths: Sequence[float] = WIDTHS,
        num_classes: int = 0,
        conditional_norm: ConditionalNorm = "sliceable",
    ) -> None:
        check_range("the generator's bottom_size", bottom_size, 1)
        image_channels = self.settle("image_channels", image_channels, 3)
        image_size = bottom_size * 2 ** max(len(channels) - 1, 0)
        super().__init__(channels, widths, latent_dim, image_size, image_channels, num_classes)
        self.bottom_size = bottom_size
        self.conditional_norm: ConditionalNorm = conditional_norm
        self.stem = initialized(SlicedLinear(latent_dim, self.channels[0] * bottom_size**2))
        self.blocks = nn.ModuleList(self.make_block(low, high) for low, high in pairwise(self.channels))
        self.image = initialized(SlicedConv2d(self.channels[-1], image_channels, 3, padding=1))
        self.add_last_layers()

    @abstractmethod
    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        """Return a block ``forward(x, width, labels)`` that doubles the side."""

    def add_last_layers(self) -> None:
        """Add the layers that ``finish`` applies; by default none."""

    def make_norm(self, channels: int) -> nn.Module:
        """Return a batch norm ``forward(x, width, labels)``, conditional if there are classes."""
        if self.num_classes == 0:
            return SwitchableBatchNorm2d(channels, self.widths)
        check_choice("conditional_norm", self.conditional_norm, get_args(ConditionalNorm))
        if self.conditional_norm == "sliceable":
            return SliceableConditionalBatchNorm2d(channels, self.widths, self.num_classes)
        return SwitchableConditionalBatchNorm2d(channels, self.widths, self.num_classes)

    def synthesize(self, latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        x = self.start(latents, width)
        for block in self.blocks:
            x = block(x, width, labels)
        return torch.tanh(self.image(self.finish(x, width)))

    def start(self, latents: Tensor, width: float) -> Tensor:
        """Apply the stem: ``(N, latent_dim) -> (N, C, bottom_size, bottom_size)``."""
        x: Tensor = self.stem(latents, width).unflatten(1, (-1, self.bottom_size, self.bottom_size))
        return x

    def finish(self, x: Tensor, width: float) -> Tensor:
        """Apply the layers between the last block and the image layer."""
        return x

    def individual(self, width: float) -> Self:
        # with one width, the switchable norm is the usual conditional batch norm
        plain = type(self)(**{**self.arguments_at(width), "conditional_norm": "switchable"})
        plain.classes = self.classes
        return plain
