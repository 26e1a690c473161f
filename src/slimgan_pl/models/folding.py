"""Folding batch norms into the layers around them.

In evaluation mode a batch norm is ``x * scale + shift`` per channel, which the layer that it follows can do itself
(Jacob et al. 2018, section 3.2).
"""

from abc import ABC
from collections.abc import Sequence
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import SwitchableBatchNorm2d, SwitchableConditionalBatchNorm2d
from slimgan_pl.models.dcgan import DCGANGenerator, DCGANGeneratorBlock
from slimgan_pl.models.generator import SlimmableGenerator
from slimgan_pl.models.resnet import ResNetGenerator, ResNetGeneratorBlock, upsample

__all__ = [
    "FOLDED",
    "ChannelAffine",
    "FoldedDCGANBlock",
    "FoldedDCGANGenerator",
    "FoldedGenerator",
    "FoldedResNetBlock",
    "FoldedResNetGenerator",
    "folded_slice",
]

Conv = nn.Conv2d | nn.ConvTranspose2d


class ChannelAffine(nn.Module):
    """``x * scale + shift`` per channel, ``(N, C, H, W)`` to the same; with classes there is a row for each.

    Args:
        channels: Channels of ``x``.
        num_classes: Classes; 0 for none.
        overwrite: Whether the result may take the place of ``x``.
    """

    def __init__(self, channels: int, num_classes: int, overwrite: bool = False) -> None:
        super().__init__()
        self.overwrite = overwrite
        self.scale = nn.Parameter(torch.ones(max(num_classes, 1), channels))
        self.shift = nn.Parameter(torch.zeros(max(num_classes, 1), channels))

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        rows = (table if labels is None else F.embedding(labels, table) for table in (self.scale, self.shift))
        scale, shift = (row[:, :, None, None] for row in rows)
        return x.mul_(scale).add_(shift) if self.overwrite else torch.addcmul(shift, x, scale)


class FoldedDCGANBlock(nn.Module):
    """Transposed convolution 4x4/2 that holds the batch norm, the affine of the classes if there are any, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)
        self.affine = ChannelAffine(out_channels, num_classes, overwrite=True) if num_classes else None

    def forward(self, x: Tensor, width: float, labels: Tensor | None) -> Tensor:
        x = self.conv(x)
        return (x if self.affine is None else self.affine(x, labels)).relu_()


class FoldedResNetBlock(nn.Module):
    """Residual block whose first norm is an affine, since it follows a sum, and whose second is part of ``conv1``."""

    def __init__(self, in_channels: int, out_channels: int, num_classes: int) -> None:
        super().__init__()
        self.affine1 = ChannelAffine(in_channels, num_classes)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.affine2 = ChannelAffine(out_channels, num_classes, overwrite=True) if num_classes else None
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, width: float, labels: Tensor | None) -> Tensor:
        h = self.conv1(upsample(self.affine1(x, labels).relu_()))
        h = self.conv2((h if self.affine2 is None else self.affine2(h, labels)).relu_())
        result: Tensor = h.add_(upsample(self.shortcut(x)))
        return result


class FoldedGenerator(SlimmableGenerator, ABC):
    """Base of the folded generators; takes the arguments of any, but for the widths and the kind of norm.

    NOTE: the stem's outputs are in the order ``(H, W, C)``, which makes its image ``channels_last`` without a copy.
    """

    def __init__(
        self,
        channels: Sequence[int],
        bottom_size: int = 4,
        latent_dim: int = 128,
        image_channels: int = 3,
        num_classes: int = 0,
    ) -> None:
        super().__init__(channels, bottom_size, latent_dim, image_channels, (1.0,), num_classes)

    def start(self, latents: Tensor, width: float) -> Tensor:
        x: Tensor = self.stem(latents).unflatten(1, (self.bottom_size, self.bottom_size, -1))
        return x.permute(0, 3, 1, 2)

    def slice(self, width: float) -> NoReturn:
        """Refuse: a slice needs the batch norms."""
        raise SlimGANError(
            "a folded generator has one width and cannot be sliced; slice the generator it was made from"
        )


class FoldedDCGANGenerator(FoldedGenerator):
    """A ``DCGANGenerator`` of one width, folded."""

    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        return FoldedDCGANBlock(in_channels, out_channels, self.num_classes)


class FoldedResNetGenerator(FoldedGenerator):
    """A ``ResNetGenerator`` of one width, folded; its last norm is part of the last block."""

    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        return FoldedResNetBlock(in_channels, out_channels, self.num_classes)

    def finish(self, x: Tensor, width: float) -> Tensor:
        return x.relu_()


FOLDED: dict[type[SlimmableGenerator], type[FoldedGenerator]] = {
    DCGANGenerator: FoldedDCGANGenerator,
    ResNetGenerator: FoldedResNetGenerator,
}


@torch.no_grad()
def folded_slice(generator: SlimmableGenerator, width: float = 1.0) -> FoldedGenerator:
    """Return one width of a generator for inference: it draws the same images, to rounding, in less time.

    Its batch norms are part of the layers around them, with the statistics as they are; its weights and images are
    ``channels_last``. It cannot be trained or sliced. The generator stays as it is.

    Args:
        generator: A ``DCGANGenerator`` or ``ResNetGenerator``, in either mode.
        width: One of its ``widths``.

    Raises:
        SlimGANError: If the width is not in the list, or the generator is of another class.
    """
    if type(generator) not in FOLDED:
        known = " or a ".join(source.__name__ for source in FOLDED)
        raise SlimGANError(f"a {type(generator).__name__} cannot be folded; give a {known}")
    narrow = generator.slice(width)
    arguments = {name: value for name, value in narrow.arguments.items() if name not in ("widths", "conditional_norm")}
    folded = FOLDED[type(generator)](**arguments).to(narrow.device, narrow.dtype)
    fold_stem(narrow, folded)
    for source, target in zip(narrow.blocks, folded.blocks, strict=True):
        fold_block(source, target)
    folded.image.load_state_dict(narrow.image.state_dict())
    if isinstance(narrow, ResNetGenerator):
        fold_last_norm(narrow.norm, folded)
    return folded.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def fold_stem(source: SlimmableGenerator, target: FoldedGenerator) -> None:
    """Copy the stem with its outputs in the order ``(H, W, C)`` instead of ``(C, H, W)``."""
    shape = (source.channels[0], source.bottom_size**2)
    for name, value in source.stem.named_parameters():
        target.stem.get_parameter(name).copy_(value.unflatten(0, shape).transpose(0, 1).flatten(0, 1))


def fold_block(source: nn.Module, target: nn.Module) -> None:
    if isinstance(source, DCGANGeneratorBlock) and isinstance(target, FoldedDCGANBlock):
        fold_norm(source.conv, source.norm, target.conv, target.affine)
    if isinstance(source, ResNetGeneratorBlock) and isinstance(target, FoldedResNetBlock):
        fold_affine(source.norm1, target.affine1)
        fold_norm(source.conv1, source.norm2, target.conv1, target.affine2)
        target.conv2.load_state_dict(source.conv2.state_dict())
        target.shortcut.load_state_dict(source.shortcut.state_dict())


def fold_norm(conv: Conv, norm: nn.Module, target: Conv, affine: ChannelAffine | None) -> None:
    """Fold a norm into the convolution before it, or into the affine after that where it depends on the class."""
    if affine is None:
        target.weight, target.bias = fuse(conv.weight, conv.bias, norm, isinstance(conv, nn.ConvTranspose2d))
    else:
        target.load_state_dict(conv.state_dict())
        fold_affine(norm, affine)


def fold_affine(norm: nn.Module, target: ChannelAffine) -> None:
    """Write a norm as scale and shift, per class if it is conditional."""
    scale, shift = scale_and_shift(norm)
    if not isinstance(norm, SwitchableBatchNorm2d):
        name = "classes.0" if isinstance(norm, SwitchableConditionalBatchNorm2d) else "classes"
        gain, bias = (norm.get_parameter(f"{name}.{part}.weight") for part in ("gain", "bias"))
        scale, shift = gain * scale, gain * shift + bias
    target.scale.copy_(scale)
    target.shift.copy_(shift)


def fold_last_norm(norm: nn.Module, target: FoldedGenerator) -> None:
    """Fold a norm into what is summed before it; scale and shift commute with the shortcut's upsampling."""
    scale, shift = scale_and_shift(norm)
    layers = [block.get_submodule(name) for block in target.blocks[-1:] for name in ("conv2", "shortcut")]
    if not layers:
        pixels = target.bottom_size**2
        layers, scale, shift = [target.stem], scale.repeat(pixels), shift.repeat(pixels)
    for layer in layers:
        for value in layer.parameters():
            value.mul_(scale.view(-1, *[1] * (value.dim() - 1)))
    layers[0].get_parameter("bias").add_(shift)


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return scale and shift ``(C,)`` of the batch norm: what it makes of the weights of the identity."""
    ones = torch.ones_like(batch_norm(norm).running_mean)
    scale, shift = fuse(ones[:, None], None, norm)
    return scale[:, 0], shift


def fuse(
    weight: Tensor, bias: Tensor | None, norm: nn.Module, transpose: bool = False
) -> tuple[nn.Parameter, nn.Parameter]:
    """Return weight and bias of a layer that holds the batch norm after it."""
    bn = batch_norm(norm)
    return fuse_conv_bn_weights(
        weight, bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose=transpose
    )


def batch_norm(norm: nn.Module) -> Any:
    """Return the one batch norm of a norm of one width."""
    return norm.get_submodule("norms.0" if isinstance(norm, SwitchableBatchNorm2d) else "norm.norms.0")
