"""Layers whose narrow forms use the first channels of one weight.

``forward(x, width)`` uses the first ``x.shape[1]`` input channels and the first ``out_channels * width`` output
channels of the weight (Hou et al. 2021). A layer whose output is never sliced, such as the image layer, takes the
default ``width=1.0``.
"""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.layers.widths import scale_channels

__all__ = [
    "ScaledConv2d",
    "SlicedConv2d",
    "SlicedConvTranspose2d",
    "SlicedEmbedding",
    "SlicedGroupedConv2d",
    "SlicedLinear",
]


def take_leading(tensor: Tensor, *sizes: int) -> Tensor:
    """Return the first entries of the leading dimensions, without a needless view."""
    return tensor if tensor.shape[: len(sizes)] == sizes else tensor[tuple(slice(0, size) for size in sizes)]


class SlicedLinear(nn.Linear):
    """Sliceable linear layer: ``(N, in) -> (N, out * width)``."""

    def forward(self, x: Tensor, width: float = 1.0) -> Tensor:
        out = scale_channels(self.out_features, width, "SlicedLinear")
        bias = None if self.bias is None else take_leading(self.bias, out)
        return F.linear(x, take_leading(self.weight, out, x.shape[1]), bias)


class SlicedConv2d(nn.Conv2d):
    """Sliceable convolution without groups.

    ``(N, C_in, H, W) -> (N, out_channels * width, H', W')``.
    """

    def forward(self, x: Tensor, width: float = 1.0) -> Tensor:
        out = scale_channels(self.out_channels, width, "SlicedConv2d")
        bias = None if self.bias is None else take_leading(self.bias, out)
        result: Tensor = self._conv_forward(x, take_leading(self.weight, out, x.shape[1]), bias)
        return result


class ScaledConv2d(SlicedConv2d):
    """Sliceable convolution of nets without norms: a narrow width keeps the variance.

    Fewer inputs would make the outputs smaller, so the weight is multiplied by the square root of all over active
    input channels. A slice has the product as its weight.
    """

    def gain(self, in_channels: int) -> float:
        """Return the factor for a number of active input channels."""
        return math.sqrt(self.in_channels / in_channels)

    def forward(self, x: Tensor, width: float = 1.0) -> Tensor:
        out, active = scale_channels(self.out_channels, width, "ScaledConv2d"), x.shape[1]
        weight = take_leading(self.weight, out, active)
        if active < self.in_channels:
            weight = weight * self.gain(active)
        bias = None if self.bias is None else take_leading(self.bias, out)
        result: Tensor = self._conv_forward(x, weight, bias)
        return result


class SlicedGroupedConv2d(nn.Conv2d):
    """Sliceable grouped convolution with as many outputs as inputs.

    ``(N, C, H, W) -> (N, C, H', W')``. A narrow width has the first groups, each of the same size, so that its weight
    is a block of the whole one.

    Args:
        channels: Channels at width 1.0.
        group_size: Channels of a group, which divide those of every width.
        kernel_size: Side of the kernel in pixels.
        padding: Zeros around the image, in pixels.
    """

    def __init__(self, channels: int, group_size: int, kernel_size: int, padding: int = 0) -> None:
        super().__init__(channels, channels, kernel_size, padding=padding, groups=channels // group_size)
        self.group_size = group_size

    def forward(self, x: Tensor) -> Tensor:
        active = x.shape[1]
        weight = take_leading(self.weight, active)
        bias = None if self.bias is None else take_leading(self.bias, active)
        return F.conv2d(x, weight, bias, self.stride, self.padding, groups=active // self.group_size)


class SlicedConvTranspose2d(nn.ConvTranspose2d):
    """Sliceable transposed convolution without groups.

    ``(N, C_in, H, W) -> (N, out_channels * width, H', W')``.
    """

    def forward(self, x: Tensor, width: float = 1.0) -> Tensor:  # type: ignore[override]
        out = scale_channels(self.out_channels, width, "SlicedConvTranspose2d")
        bias = None if self.bias is None else take_leading(self.bias, out)
        weight = take_leading(self.weight, x.shape[1], out)
        return F.conv_transpose2d(x, weight, bias, self.stride, self.padding, self.output_padding)  # type: ignore[arg-type]


class SlicedEmbedding(nn.Embedding):
    """Embedding with sliceable vectors: labels ``(N,) -> (N, channels)``."""

    def forward(self, labels: Tensor, channels: int) -> Tensor:  # type: ignore[override]
        return F.embedding(labels, take_leading(self.weight, self.num_embeddings, channels))
