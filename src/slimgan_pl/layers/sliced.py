"""Layers whose narrow forms use the first channels of one weight.

``forward(x, width)`` uses the first ``x.shape[1]`` input channels and the first ``out_channels * width`` output
channels of the weight (Hou et al. 2021). A layer whose output is never sliced, such as the image layer, takes the
default ``width=1.0``.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.layers.widths import scale_channels

__all__ = ["SlicedConv2d", "SlicedConvTranspose2d", "SlicedEmbedding", "SlicedLinear"]


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
