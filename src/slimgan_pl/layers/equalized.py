"""Layers with an equalised learning rate: weights from N(0, 1), scaled when they are used (Karras et al. 2018)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.layers.sliced import take_leading

__all__ = ["GAIN", "SLOPE", "EqualizedConv2d", "EqualizedLinear", "MappingLayer", "activate", "normalize", "times"]

SLOPE, GAIN = 0.2, math.sqrt(2)  # of the LeakyReLU: below 0, and of its result

MAPPING_LR = 0.01  # multiplier of a mapping's learning rate


def activate(x: Tensor) -> Tensor:
    """Apply LeakyReLU with a gain that about keeps the mean square."""
    return F.leaky_relu(x, SLOPE) * GAIN


def normalize(x: Tensor) -> Tensor:
    """Scale each row of ``(N, D)`` to a mean square of 1."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def times(values: Tensor, gain: float | Tensor) -> Tensor:
    """Return weights times a gain.

    NOTE: those in float16 are multiplied in float32, which ONNX Runtime does once at loading; on a CPU it has no
    arithmetic in float16, and would do it at each call.
    """
    if values.dtype == torch.float16:
        return (values.float() * gain).half()
    return values * gain


class EqualizedLinear(nn.Module):
    """Linear layer ``(N, in) -> (N, out)``, whose outputs can be sliced.

    Args:
        in_features: Inputs, never sliced.
        out_features: Outputs at width 1.0.
        bias: Initial bias.
        lr_multiplier: Factor of weight and bias in use; optimizers such as Adam then move both that much slower.
    """

    def __init__(self, in_features: int, out_features: int, bias: float = 0.0, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), bias / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor, out: int | None = None) -> Tensor:
        """Return the first ``out`` outputs, by default all."""
        weight, bias = self.scaled(len(self.weight) if out is None else out)
        return F.linear(x, weight, bias)

    def scaled(self, out: int) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the first outputs, as they are used."""
        bias = take_leading(self.bias, out)
        weight = times(take_leading(self.weight, out), self.weight_gain)
        return weight, bias if self.bias_gain == 1 else times(bias, self.bias_gain)


class MappingLayer(EqualizedLinear):
    """Linear layer that learns slowly, LeakyReLU: ``(N, in) -> (N, out)``."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, lr_multiplier=MAPPING_LR)

    def forward(self, x: Tensor, out: int | None = None) -> Tensor:
        return activate(super().forward(x, out))


class EqualizedConv2d(nn.Conv2d):
    """Convolution of odd size that keeps the side: ``(N, C_in, H, W) -> (N, C_out, H, W)``."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        self.weight_gain = 1 / math.sqrt(self.weight[0].numel())

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self._conv_forward(x, self.scaled_weight, self.bias)
        return result

    @property
    def scaled_weight(self) -> Tensor:
        """Weight as it is used."""
        return times(self.weight, self.weight_gain)
