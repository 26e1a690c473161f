"""Slimmable generators: one set of weights, several widths.

A net is a schedule: ``channels[0]`` at ``bottom_size`` pixels a side, then one block per further entry, each doubling
the side. Shape legend: N images, C channels, H = W = image_size.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError, check_choice, check_range
from slimgan_pl.layers import (
    SliceableConditionalBatchNorm2d,
    SlicedConv2d,
    SlicedLinear,
    SwitchableBatchNorm2d,
    SwitchableConditionalBatchNorm2d,
    check_widths,
    copy_slice,
    initialized,
    scale_channels,
    width_index,
)
from slimgan_pl.layers.widths import check_labels
from slimgan_pl.utils.recipes import Recorded

__all__ = ["ConditionalNorm", "Inputs", "SlimmableGenerator", "make_norm"]

ConditionalNorm = Literal["sliceable", "switchable"]

WIDTHS = (0.25, 0.5, 0.75, 1.0)


class Inputs(NamedTuple):
    """Inputs of a generator: latents ``(N, latent_dim)``, and labels ``(N,)`` or None."""

    latents: Tensor
    labels: Tensor | None = None


class SlimmableGenerator(Recorded, nn.Module, ABC):
    """Base of the generators: stem, blocks, image layer (Hou et al. 2021).

    Args:
        channels: Channels at width 1.0, from the bottom up.
        bottom_size: Side in pixels at which the stem starts.
        latent_dim: Numbers in a latent; drawn from N(0, 1).
        image_channels: Channels of the image, never sliced.
        widths: Ascending shares of the channels, the last 1.0.
        num_classes: Classes of a conditional generator; 0 for an unconditional one.
        conditional_norm: Kind of conditional batch norm.

    Raises:
        SlimGANError: If a width does not divide the channels of a stage exactly, or a number is out of range.
    """

    def __init__(
        self,
        channels: Sequence[int],
        bottom_size: int = 4,
        latent_dim: int = 128,
        image_channels: int = 3,
        widths: Sequence[float] = WIDTHS,
        num_classes: int = 0,
        conditional_norm: ConditionalNorm = "sliceable",
    ) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.widths = check_widths(widths)
        self.bottom_size = bottom_size
        self.latent_dim = latent_dim
        self.image_channels = image_channels
        self.num_classes = num_classes
        self.conditional_norm: ConditionalNorm = conditional_norm
        if not self.channels:
            raise SlimGANError("channels is empty; give one number per stage, for example [512, 256, 128, 64]")
        for name in ("bottom_size", "latent_dim", "image_channels"):
            check_range(f"the generator's {name}", getattr(self, name), 1)
        check_range("the generator's num_classes", num_classes, 0)
        for width in self.widths:
            self.channels_at(width)
        self.image_size = bottom_size * 2 ** (len(self.channels) - 1)
        self.stem = initialized(SlicedLinear(latent_dim, self.channels[0] * bottom_size**2))
        self.blocks = nn.ModuleList(self.make_block(low, high) for low, high in pairwise(self.channels))
        self.image = initialized(SlicedConv2d(self.channels[-1], image_channels, 3, padding=1))

    @abstractmethod
    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        """Return a block ``forward(x, width, labels)`` that doubles the side."""

    def start(self, latents: Tensor, width: float) -> Tensor:
        """Return what the stem makes of latents, as ``(N, C, bottom_size, bottom_size)``."""
        x: Tensor = self.stem(latents, width).unflatten(1, (-1, self.bottom_size, self.bottom_size))
        return x

    def finish(self, x: Tensor, width: float) -> Tensor:
        """Apply what stands between the last block and the image layer."""
        return x

    def make_norm(self, channels: int) -> nn.Module:
        return make_norm(channels, self.widths, self.num_classes, self.conditional_norm)

    def channels_at(self, width: float) -> tuple[int, ...]:
        """Return the schedule of one width."""
        return tuple(
            scale_channels(channels, width, f"{type(self).__name__} stage {stage}")
            for stage, channels in enumerate(self.channels)
        )

    def forward(self, latents: Tensor, labels: Tensor | None = None, *, width: float = 1.0) -> Tensor:
        """Draw images.

        Args:
            latents: Shape ``(N, latent_dim)``, standard normal.
            labels: Integers of shape ``(N,)`` in ``[0, num_classes)``, for a conditional generator only.
            width: One of ``widths``.

        Returns:
            Images ``(N, image_channels, image_size, image_size)`` in [-1, 1].

        Raises:
            SlimGANError: If the width is not in the list, or labels are missing or not expected.
        """
        width = self.widths[width_index(self.widths, width)]
        check_labels(labels, self.num_classes, "generator")
        x = self.start(latents, width)
        for block in self.blocks:
            x = block(x, width, labels)
        return torch.tanh(self.image(self.finish(x, width)))

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""
        return next(self.parameters()).dtype

    def draw_inputs(self, count: int, source: torch.Generator | None = None) -> Inputs:
        """Draw standard normal latents and, for a conditional generator, uniform labels, on this net's device.

        Args:
            count: Number of latents N.
            source: Source of randomness, on any device; the same state gives the same inputs in each precision.
        """
        device = "cpu" if source is None else source.device
        latents = torch.randn(count, self.latent_dim, generator=source, device=device, dtype=torch.float32)
        latents = latents.to(self.device, self.dtype)
        if not self.num_classes:
            return Inputs(latents)
        labels = torch.randint(self.num_classes, (count,), generator=source, device=device)
        return Inputs(latents, labels.to(self.device))

    def slice(self, width: float) -> Self:
        """Return a generator of its own that holds the weights of one width alone and draws the same images.

        It has the same class, the narrower schedule and ``widths == (1.0,)``; its mode, device and precision are this
        one's.
        """
        index = width_index(self.widths, width)
        arguments = {**self.arguments, "channels": self.channels_at(self.widths[index]), "widths": (1.0,)}
        narrow = type(self)(**arguments).to(self.device, self.dtype)
        copy_slice(self, narrow, index)
        return narrow.train(self.training)


def make_norm(channels: int, widths: Sequence[float], num_classes: int, conditional_norm: ConditionalNorm) -> nn.Module:
    """Return the batch norm of a generator: switchable, or conditional where there are classes."""
    if num_classes == 0:
        return SwitchableBatchNorm2d(channels, widths)
    check_choice("conditional_norm", conditional_norm, get_args(ConditionalNorm))
    if conditional_norm == "sliceable":
        return SliceableConditionalBatchNorm2d(channels, widths, num_classes)
    return SwitchableConditionalBatchNorm2d(channels, widths, num_classes)
