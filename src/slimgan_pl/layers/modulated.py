"""Modulated convolutions: a style scales the inputs (Karras et al. 2020, "Analyzing and Improving ... StyleGAN").

Shape legend: N images, D numbers in a style, C channels, H = W pixels a side.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.layers.equalized import EqualizedLinear, times
from slimgan_pl.layers.resampling import Upsample
from slimgan_pl.layers.sliced import take_leading
from slimgan_pl.layers.widths import scale_channels

__all__ = ["ModulatedConv2d", "convolve_scaled", "demodulation", "sum_of_squares"]

EPSILON = 1e-8  # added to the squared norm that divides


class ModulatedConv2d(nn.Module):
    """Sliceable convolution whose input channels a style scales.

    The weight is the same for all images: scaling inputs and outputs gives the same numbers as a weight per image,
    for batches of any size. Demodulation divides each output channel by its expected deviation over the active
    inputs, so that every width has outputs of variance 1.

    Args:
        in_channels: Input channels at width 1.0.
        out_channels: Output channels at width 1.0.
        kernel_size: Side of the kernel in pixels, odd.
        style_dim: Numbers in a style.
        demodulate: Whether outputs are demodulated.
        upsample: Whether the side doubles.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        style_dim: int,
        demodulate: bool = True,
        upsample: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.affine = EqualizedLinear(style_dim, in_channels, bias=1.0)
        self.demodulate = demodulate
        self.upsample = Upsample() if upsample else None

    def forward(self, x: Tensor, styles: Tensor, width: float = 1.0) -> Tensor:
        """Convolve ``(N, C, H, W)`` with styles ``(N, D)``, to ``(N, C' * width, H', W')``."""
        weight = self.active_weight(x.shape[1], width)
        scales = self.affine(styles, x.shape[1])
        x = convolve_scaled(x, scales, weight, self.upsample)
        if self.demodulate:
            x = x * demodulation(scales, sum_of_squares(weight))[:, :, None, None]
        return x

    def active_weight(self, in_channels: int, width: float) -> Tensor:
        """Return the active block of the weight, over the root of its fan-in."""
        out = scale_channels(len(self.weight), width, "ModulatedConv2d")
        weight = take_leading(self.weight, out, in_channels)
        return times(weight, 1 / math.sqrt(weight[0].numel()))


def convolve_scaled(x: Tensor, scales: Tensor, weight: Tensor, upsample: Upsample | None) -> Tensor:
    """Convolve ``(N, C, H, W)`` times ``scales`` ``(N, C)``, to twice the side with an upsampling."""
    x = x * scales[:, :, None, None]
    if upsample is None:
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    return convolve_twice_as_large(x, weight, upsample.kernel)


def convolve_twice_as_large(x: Tensor, weight: Tensor, kernel: Tensor) -> Tensor:
    """Put zeros between pixels, convolve with a 3x3 ``weight``, and smooth.

    ``(N, C, H, W) -> (N, C', 2H, 2W)``; ``kernel`` is an ``Upsample``'s.
    """
    x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    channels = x.shape[1]
    return F.conv2d(x, kernel.expand(channels, 1, 4, 4), padding=1, groups=channels)


def demodulation(scales: Tensor, squares: Tensor) -> Tensor:
    """Return the factors ``(N, C')`` that demodulate outputs.

    Args:
        scales: Factors ``(N, C)`` of the inputs.
        squares: ``sum_of_squares`` of the weight.
    """
    if torch.is_autocast_enabled(scales.device.type):
        with torch.autocast(scales.device.type, enabled=False):
            return demodulation(scales.to(squares.dtype), squares).to(scales.dtype)
    factors = torch.rsqrt(F.linear(scales.to(squares.dtype).square(), squares) + EPSILON)
    return factors.to(scales.dtype)


def sum_of_squares(weight: Tensor) -> Tensor:
    """Sum a weight's squares over the kernel, to ``(C', C)``, at least in float32."""
    return (weight.float() if weight.dtype == torch.float16 else weight).square().sum((2, 3))
