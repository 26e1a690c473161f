"""The blocks that the nets stack. Shapes are ``(N, C, H, W)``; ``C`` of a generator block scales with the width."""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.errors import UserError, check_choice
from slimgan_pl.layers import (
    SliceableConditionalBatchNorm2d,
    SlicedConv2d,
    SlicedConvTranspose2d,
    SwitchableBatchNorm2d,
    SwitchableConditionalBatchNorm2d,
    initialized,
    spectral,
)

__all__ = [
    "ConditionalNorm",
    "DCGANDiscriminatorBlock",
    "DCGANGeneratorBlock",
    "ProjectionHead",
    "ResNetDiscriminatorBlock",
    "ResNetGeneratorBlock",
    "check_labels",
    "convolve_and_pool",
    "make_norm",
    "upsample",
]

ConditionalNorm = Literal["sliceable", "switchable"]


def make_norm(channels: int, widths: Sequence[float], num_classes: int, conditional_norm: ConditionalNorm) -> nn.Module:
    """Return the batch norm of a generator: switchable, or conditional where there are classes."""
    if num_classes == 0:
        return SwitchableBatchNorm2d(channels, widths)
    check_choice("conditional_norm", conditional_norm, get_args(ConditionalNorm))
    if conditional_norm == "sliceable":
        return SliceableConditionalBatchNorm2d(channels, widths, num_classes)
    return SwitchableConditionalBatchNorm2d(channels, widths, num_classes)


class DCGANGeneratorBlock(nn.Module):
    """Transposed convolution 4x4/2, batch norm, ReLU: doubles the side (Radford et al. 2016)."""

    def __init__(self, in_channels: int, out_channels: int, norm: nn.Module) -> None:
        super().__init__()
        self.conv = initialized(SlicedConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1))
        self.norm = norm

    def forward(self, x: Tensor, width: float, labels: Tensor | None) -> Tensor:
        return F.relu(self.norm(self.conv(x, width), width, labels))


class ResNetGeneratorBlock(nn.Module):
    """Pre-activation residual block that doubles the side by bilinear interpolation (Miyato et al. 2018).

    The shortcut's 1x1 convolution runs before the upsampling, on a quarter of the pixels: bilinear weights sum to one
    at every pixel, so the two commute.
    """

    def __init__(self, in_channels: int, out_channels: int, norm1: nn.Module, norm2: nn.Module) -> None:
        super().__init__()
        gain = math.sqrt(2)
        self.norm1 = norm1
        self.conv1 = initialized(SlicedConv2d(in_channels, out_channels, 3, padding=1), gain)
        self.norm2 = norm2
        self.conv2 = initialized(SlicedConv2d(out_channels, out_channels, 3, padding=1), gain)
        self.shortcut = initialized(SlicedConv2d(in_channels, out_channels, 1))

    def forward(self, x: Tensor, width: float, labels: Tensor | None) -> Tensor:
        h = upsample(F.relu(self.norm1(x, width, labels)))
        h = self.conv1(h, width)
        h = self.conv2(F.relu(self.norm2(h, width, labels)), width)
        result: Tensor = h + upsample(self.shortcut(x, width))
        return result


def upsample(x: Tensor) -> Tensor:
    """Double the side by bilinear interpolation: ``(N, C, H, W) -> (N, C, 2 H, 2 W)``."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class DCGANDiscriminatorBlock(nn.Module):
    """Spectrally normalised convolution, LeakyReLU(0.1); a 4x4/2 one halves the side."""

    def __init__(self, in_channels: int, out_channels: int, downsample: bool) -> None:
        super().__init__()
        size, stride = (4, 2) if downsample else (3, 1)
        self.conv = spectral(nn.Conv2d(in_channels, out_channels, size, stride, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x), 0.1)


class ResNetDiscriminatorBlock(nn.Module):
    """Spectrally normalised residual block (Miyato et al. 2018).

    NOTE: the authors' activation works in place, so their shortcut adds relu(x) where the paper's figure adds x;
    ``rectified_shortcut=False`` is the usual form. The 1x1 convolution of the shortcut runs after the pooling, on a
    quarter of the pixels; the two commute. A 3x3 convolution and the pooling after it are one of 4x4/2.
    """

    def __init__(
        self, in_channels: int, out_channels: int, downsample: bool, first: bool, rectified_shortcut: bool
    ) -> None:
        super().__init__()
        hidden = out_channels if first else in_channels
        gain = math.sqrt(2)
        self.first, self.downsample, self.rectified_shortcut = first, downsample, rectified_shortcut
        self.conv1 = spectral(nn.Conv2d(in_channels, hidden, 3, padding=1), gain)
        self.conv2 = spectral(nn.Conv2d(hidden, out_channels, 3, padding=1), gain)
        changes = downsample or in_channels != out_channels
        self.shortcut = spectral(nn.Conv2d(in_channels, out_channels, 1)) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.first else F.relu(x)
        shortcut = h if self.rectified_shortcut else x
        h = F.relu(self.conv1(h))
        if self.downsample:
            h, shortcut = convolve_and_pool(self.conv2, h), F.avg_pool2d(shortcut, 2)
        else:
            h = self.conv2(h)
        result: Tensor = h + self.shortcut(shortcut)
        return result


def convolve_and_pool(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a padded 3x3 convolution and 2x2 average pooling in one: ``(N, C, H, W) -> (N, C', H / 2, W / 2)``.

    Each output is the mean of four windows, so it is the window of 4x4 under the mean of the four shifted kernels: 16
    multiply-accumulates in place of 36.
    """
    weight = F.avg_pool2d(F.pad(conv.weight, (1, 1, 1, 1)), 2, stride=1)
    return F.conv2d(x, weight, conv.bias, stride=2, padding=1)


class ProjectionHead(nn.Module):
    """Last layer of a discriminator: features ``(N, F)`` to logits ``(N, 1)``.

    With classes it adds the inner product of the features with an embedding of the label (Miyato and Koyama 2018).
    """

    def __init__(self, features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = spectral(nn.Linear(features, 1))
        self.embedding = spectral(nn.Embedding(num_classes, features)) if num_classes else None

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        logits: Tensor = self.linear(x)
        if self.embedding is not None:
            logits = logits + (self.embedding(labels) * x).sum(dim=1, keepdim=True)
        return logits


def check_labels(labels: Tensor | None, num_classes: int, net: str) -> None:
    """Raise a UserError where labels are missing, or given to a net without classes."""
    if num_classes and labels is None:
        raise UserError(f"this {net} is conditional: give labels from 0 to {num_classes - 1}")
    if not num_classes and labels is not None:
        raise UserError(f"this {net} has no classes: leave the labels out")
