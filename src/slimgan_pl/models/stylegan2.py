"""StyleGAN2: generator (Karras et al. 2020, "Analyzing and Improving ... StyleGAN").

Shape legend: N images, D = latent_dim = numbers in a style, L layers that take a style, C channels, H = W pixels.
"""

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError, check_range
from slimgan_pl.layers import ModulatedConv2d, Upsample
from slimgan_pl.layers.equalized import MappingLayer, activate, normalize, times
from slimgan_pl.models.generator import WIDTHS, SlimmableGenerator

__all__ = ["StyleGAN2Generator", "StyleNoise", "StyledLayer", "ToImage"]

BOTTOM = 4  # pixels a side of the learned constant
MEAN_OF = 16384  # latents whose mean style truncation moves towards
CHUNK = 1024  # latents mapped at once


class StyleNoise(NamedTuple):
    """Random numbers of images in training, beside latent and label.

    Attributes:
        maps: Standard normal noise ``(N, 1, H, W)`` of each layer, the same at every width.
        others: Further latents ``(N, D)`` to mix styles with, or None.
        crossovers: First layers ``(N,)`` that take the styles of ``others``, or None.
    """

    maps: tuple[Tensor, ...]
    others: Tensor | None = None
    crossovers: Tensor | None = None


class Mapping(nn.Module):
    """Mapping net: latents ``(N, D)`` and labels to styles ``(N, D)``, never sliced."""

    def __init__(self, latent_dim: int, num_layers: int, num_classes: int) -> None:
        super().__init__()
        self.label = nn.Embedding(num_classes, latent_dim) if num_classes else None
        first = latent_dim * (2 if num_classes else 1)
        sizes = [first, *[latent_dim] * num_layers]
        self.layers = nn.ModuleList(MappingLayer(*pair) for pair in pairwise(sizes))

    def forward(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        x = normalize(latents)
        if self.label is not None:
            x = torch.cat([x, normalize(self.label(labels))], dim=1)
        for layer in self.layers:
            x = layer(x)
        return x


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, LeakyReLU."""

    noise: Tensor

    def __init__(self, in_channels: int, out_channels: int, style_dim: int, side: int, upsample: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, 3, style_dim, upsample=upsample)
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("noise", torch.randn(1, 1, side, side))

    def forward(self, x: Tensor, styles: Tensor, width: float, noise: Tensor | None) -> Tensor:
        x = self.conv(x, styles, width)
        noise = times(self.noise, self.noise_strength) if noise is None else noise * self.noise_strength
        bias = self.bias[: x.shape[1], None, None]
        return activate(x + noise.to(x.dtype) + bias.to(x.dtype))  # autocast would add in float32


class ToImage(nn.Module):
    """Modulated 1x1 convolution to the channels of the image, without demodulation."""

    def __init__(self, channels: int, image_channels: int, style_dim: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(channels, image_channels, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(image_channels))

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        result: Tensor = self.conv(x, styles) + self.bias[:, None, None]
        return result


class StyleGAN2Generator(SlimmableGenerator):
    """Mapping net, modulated convolutions with noise, and a sum of images of all resolutions.

    Images are linear in training mode, and clamped to [-1, 1] in evaluation mode. A net is a schedule: the first
    entry's stage has 4 pixels a side, each further one twice as many. Without ``noise``, layers add noise that is
    part of the net, so that images depend on latent and label alone.

    Args:
        channels: Channels of each stage at width 1.0, from the bottom up.
        latent_dim: Numbers in a latent, from N(0, 1), and in a style.
        mapping_layers: Layers of the mapping net, which no width slices.
        style_mixing: Share of the images in training that take the styles of a second latent from a random layer on.
        image_channels: Channels of the images, never sliced; by default 3 in Python, and the data's in the command.
        widths: Ascending shares of the channels, the last 1.0.
        num_classes: Classes of a conditional generator; 0 for an unconditional one.

    Raises:
        SlimGANError: If a width does not divide the channels of a stage exactly, or a number is out of range.
    """

    fixed_bottom = BOTTOM
    takes_noise = True

    def __init__(
        self,
        channels: Sequence[int],
        latent_dim: int = 512,
        mapping_layers: int = 8,
        style_mixing: float = 0.0,
        image_channels: int | None = None,
        widths: Sequence[float] = WIDTHS,
        num_classes: int = 0,
    ) -> None:
        image_channels = self.settle("image_channels", image_channels, 3)
        image_size = BOTTOM * 2 ** max(len(channels) - 1, 0)
        super().__init__(channels, widths, latent_dim, image_size, image_channels, num_classes)
        check_range("the generator's mapping_layers", mapping_layers, 1)
        if not 0 <= style_mixing <= 1:
            raise SlimGANError(f"the generator's style_mixing is {style_mixing}; give 0 to 1")
        self.style_mixing = style_mixing
        self.mapping = Mapping(latent_dim, mapping_layers, num_classes)
        self.constant = nn.Parameter(torch.randn(self.channels[0], BOTTOM, BOTTOM))
        pairs = [(self.channels[0], self.channels[0], BOTTOM, False)]  # inputs, outputs, side, upsampling
        for stage, (low, high) in enumerate(pairwise(self.channels), start=1):
            side = BOTTOM * 2**stage
            pairs += [(low, high, side, True), (high, high, side, False)]
        self.layers = nn.ModuleList(StyledLayer(low, high, latent_dim, side, up) for low, high, side, up in pairs)
        self.to_image = nn.ModuleList(ToImage(number, image_channels, latent_dim) for number in self.channels)
        self.upsample = Upsample()

    def synthesize(
        self, latents: Tensor, labels: Tensor | None, width: float, noise: StyleNoise | None = None
    ) -> Tensor:
        styles = self.styles(latents, labels, noise)
        maps = [None] * len(self.layers) if noise is None else noise.maps
        count = latents.shape[0]  # len() would be a constant to exporters
        x = self.constant[: self.channels_at(width)[0]].expand(count, -1, -1, -1)
        images: Tensor | None = None
        for stage in range(len(self.channels)):
            first = max(0, 2 * stage - 1)  # layer; the bottom stage has one, the others two
            places = slice(first, 2 * stage + 1)
            own_styles = styles[first : 2 * stage + 2]
            x, images = self.run_stage(stage, self.stage, stage, x, images, own_styles, width, maps[places])
        assert images is not None
        return images if self.training else images.clamp(-1, 1)

    def stage(
        self,
        number: int,
        x: Tensor,
        images: Tensor | None,
        styles: Sequence[Tensor],
        width: float,
        maps: Sequence[Tensor | None],
    ) -> tuple[Tensor, Tensor]:
        """Return the features of a stage, and the sum of images up to it."""
        layers = self.layers[max(0, 2 * number - 1) : 2 * number + 1]
        for layer, style, noise in zip(layers, styles, maps, strict=False):
            x = layer(x, style, width, noise)
        own: Tensor = self.to_image[number](x, styles[-1])
        return x, own if images is None else self.upsample(images) + own

    def styles(self, latents: Tensor, labels: Tensor | None, noise: StyleNoise | None) -> list[Tensor]:
        """Return the styles ``(N, D)`` of each layer, and of the last image layer."""
        styles = self.mapping(latents, labels)
        count = len(self.layers) + 1
        if noise is None or noise.others is None or noise.crossovers is None:
            return [styles] * count
        others = self.mapping(noise.others, labels)
        return [torch.where((noise.crossovers <= layer)[:, None], others, styles) for layer in range(count)]

    def draw_noise(self, count: int, source: torch.Generator | None = None) -> StyleNoise:
        where = torch.device("cpu") if source is None else source.device

        def normals(*shape: int) -> Tensor:
            sampled = torch.randn(count, *shape, generator=source, device=where, dtype=torch.float32)
            return sampled.to(self.device, self.dtype)

        maps = tuple(normals(*layer.get_buffer("noise").shape[1:]) for layer in self.layers)
        if not self.style_mixing:
            return StyleNoise(maps)
        others = normals(self.latent_dim)
        chance, place = torch.rand(2, count, generator=source, device=where, dtype=torch.float32)
        last = len(self.layers) + 1  # no layer: an image that is not mixed
        crossovers = torch.where(chance < self.style_mixing, 1 + (place * (last - 1)).long(), last)
        return StyleNoise(maps, others, crossovers.to(self.device))

    @torch.no_grad()
    def mean_style(self) -> Tensor:
        """Return the mean style ``(D,)`` of 16,384 latents, always the same, labels by their frequencies."""
        latents, labels = self.draw_inputs(MEAN_OF, torch.Generator().manual_seed(0))
        parts = torch.arange(MEAN_OF).split(CHUNK)
        sums = [self.mapping(latents[part], None if labels is None else labels[part]).sum(0) for part in parts]
        return torch.stack(sums).sum(0) / MEAN_OF

    @torch.no_grad()
    def truncated(self, truncation: float) -> Self:
        check_range("the truncation", truncation, 0, 1)
        net = copy.deepcopy(self)
        mean = self.mean_style()
        for module in net.modules():
            if isinstance(module, ModulatedConv2d):  # its affine layer of mean + truncation * (style - mean)
                affine = module.affine
                affine.bias.add_((1 - truncation) * F.linear(mean, affine.weight * affine.weight_gain))
                affine.weight.mul_(truncation)
        return net
