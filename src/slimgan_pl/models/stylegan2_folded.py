"""StyleGAN2's folded form: gains, noise and sums of squares are constants.

Shape legend: N images, D numbers in a style, C channels, H = W pixels a side.
"""

import copy
from collections.abc import Sequence
from typing import Any, NoReturn

import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import EqualizedLinear
from slimgan_pl.layers.equalized import GAIN, SLOPE, MappingLayer
from slimgan_pl.layers.modulated import convolve_scaled, demodulation, sum_of_squares
from slimgan_pl.models.folding import FoldedGenerator
from slimgan_pl.models.stylegan2 import StyledLayer, StyleGAN2Generator, ToImage

__all__ = ["FoldedStyleGAN2Generator"]


def folded_linear(source: EqualizedLinear, gain: float = 1.0) -> nn.Linear:
    """Return a plain linear layer of an equalised one, times a gain."""
    weight, bias = source.scaled(len(source.weight))
    linear = nn.Linear(weight.shape[1], len(weight))
    linear.weight, linear.bias = (nn.Parameter((value * gain).detach()) for value in (weight, bias))
    return linear


class FoldedMappingLayer(nn.Module):
    """Linear layer with the gain of its LeakyReLU."""

    def __init__(self, source: MappingLayer) -> None:
        super().__init__()
        self.linear = folded_linear(source, GAIN)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.linear(x), SLOPE)


class FoldedStyledLayer(nn.Module):
    """Scaled inputs, a constant convolution, scaled outputs; noise and bias, LeakyReLU.

    Outputs, noise and bias have the gain of the LeakyReLU.
    """

    noise: Tensor

    def __init__(self, source: StyledLayer) -> None:
        super().__init__()
        weight = source.conv.active_weight(source.conv.weight.shape[1], 1.0).detach()
        self.affine = folded_linear(source.conv.affine)
        self.weight = nn.Parameter(weight)
        self.squares = nn.Parameter(sum_of_squares(weight))
        self.bias = nn.Parameter((source.bias * GAIN).detach()[:, None, None])
        self.register_buffer("noise", (source.noise * source.noise_strength * GAIN).detach())
        self.upsample = source.conv.upsample

    def forward(self, x: Tensor, styles: Tensor, width: float, noise: Tensor | None) -> Tensor:
        scales = self.affine(styles)
        x = convolve_scaled(x, scales, self.weight, self.upsample)
        x = x * (demodulation(scales, self.squares) * GAIN)[:, :, None, None]
        return F.leaky_relu(x + self.noise + self.bias, SLOPE)


class FoldedToImage(nn.Module):
    """Scaled inputs and a constant 1x1 convolution."""

    def __init__(self, source: ToImage) -> None:
        super().__init__()
        conv = source.conv
        self.affine = folded_linear(conv.affine)
        self.conv = nn.Conv2d(conv.weight.shape[1], len(conv.weight), 1)
        self.conv.weight = nn.Parameter(conv.active_weight(conv.weight.shape[1], 1.0).detach())
        self.conv.bias = nn.Parameter(source.bias.detach())

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        result: Tensor = self.conv(x * self.affine(styles)[:, :, None, None])
        return result


class FoldedStyleGAN2Generator(FoldedGenerator, StyleGAN2Generator, source=StyleGAN2Generator):
    """A ``StyleGAN2Generator`` of one width, folded; its arguments are those of inference."""

    takes_noise = False

    def __init__(
        self,
        channels: Sequence[int],
        latent_dim: int = 512,
        mapping_layers: int = 8,
        image_channels: int = 3,
        num_classes: int = 0,
    ) -> None:
        super().__init__(channels, latent_dim, mapping_layers, 0.0, image_channels, (1.0,), num_classes)
        self.fold(self)

    @classmethod
    def from_slice(cls, source: Any) -> Self:
        arguments = {key: value for key, value in source.arguments.items() if key not in ("widths", "style_mixing")}
        folded = cls(**arguments).to(source.device, source.dtype)
        folded.classes = source.classes
        for name in ("mapping", "constant"):  # the label's embedding and the input
            setattr(folded, name, copy.deepcopy(getattr(source, name)))
        folded.fold(source)
        return folded

    def truncated(self, truncation: float) -> NoReturn:
        """Refuse: truncation changes what is folded."""
        raise SlimGANError("a folded generator cannot be truncated; truncate the generator before it is folded")

    def fold(self, source: StyleGAN2Generator) -> None:
        """Replace layers by the folded form of another generator's."""
        self.mapping.layers = nn.ModuleList(map(FoldedMappingLayer, source.mapping.layers))  # type: ignore[arg-type]
        self.layers = nn.ModuleList(map(FoldedStyledLayer, source.layers))  # type: ignore[arg-type]
        self.to_image = nn.ModuleList(map(FoldedToImage, source.to_image))  # type: ignore[arg-type]
