"""Folding of norms and gains into the layers around them, for inference.

In evaluation mode a batch norm is ``x * scale + shift`` per channel, which the layer that it follows can do itself
(Jacob et al. 2018, section 3.2). Each family says in its own file which layers these are.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import SwitchableBatchNorm2d, SwitchableConditionalBatchNorm2d
from slimgan_pl.models.generator import SlimmableGenerator
from slimgan_pl.models.staged import StagedGenerator

__all__ = [
    "FOLDED",
    "ChannelAffine",
    "FoldedGenerator",
    "FoldedStagedGenerator",
    "fold_affine",
    "fold_last_norm",
    "fold_norm",
    "folded_slice",
]

Conv = nn.Conv2d | nn.ConvTranspose2d

FOLDED: dict[type[SlimmableGenerator], type["FoldedGenerator"]] = {}  # filled by the subclasses of FoldedGenerator


class FoldedGenerator(SlimmableGenerator, ABC):
    """Base of folded generators, with ``class FoldedMine(FoldedGenerator, source=Mine)``."""

    def __init_subclass__(cls, source: type[SlimmableGenerator] | None = None, **more: Any) -> None:
        super().__init_subclass__(**more)
        if source is not None:
            FOLDED[source] = cls

    @classmethod
    @abstractmethod
    def from_slice(cls, source: Any) -> Self:
        """Return the folded form of a generator of one width."""

    def slice(self, width: float) -> NoReturn:
        """Refuse: a slice needs what is folded."""
        raise SlimGANError(
            "a folded generator has one width and cannot be sliced; slice the generator it was made from"
        )


class FoldedStagedGenerator(FoldedGenerator, StagedGenerator, ABC):
    """Base of folded ``StagedGenerator``s.

    Its arguments are those of a ``StagedGenerator``, but for the widths and the conditional norm.

    NOTE: the stem's outputs are in the order ``(H, W, C)``, so its image is ``channels_last`` without a copy.
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

    @classmethod
    def from_slice(cls, source: Any) -> Self:
        arguments = {key: value for key, value in source.arguments.items() if key not in ("widths", "conditional_norm")}
        folded = cls(**arguments).to(source.device, source.dtype)
        folded.classes = source.classes
        folded.fold_ends(source)
        for block, target in zip(source.blocks, folded.blocks, strict=True):
            folded.fold_block(block, target)
        return folded

    def fold_ends(self, source: Any) -> None:
        """Copy the stem, its outputs reordered, and the image layer."""
        shape = (source.channels[0], source.bottom_size**2)
        for name, value in source.stem.named_parameters():
            self.stem.get_parameter(name).copy_(value.unflatten(0, shape).transpose(0, 1).flatten(0, 1))
        self.image.load_state_dict(source.image.state_dict())

    @abstractmethod
    def fold_block(self, source: Any, target: Any) -> None:
        """Write a block's layers and norms into the block that replaces it."""

    def start(self, latents: Tensor, width: float) -> Tensor:
        x: Tensor = self.stem(latents).unflatten(1, (self.bottom_size, self.bottom_size, -1))
        return x.permute(0, 3, 1, 2)


class ChannelAffine(nn.Module):
    """Scale and shift per channel, with a row of both per class.

    ``x * scale[label] + shift[label]``; ``num_classes`` is 0 for one row. With ``overwrite`` the result takes the
    memory of ``x``.
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


@torch.no_grad()
def folded_slice(generator: SlimmableGenerator, width: float = 1.0) -> SlimmableGenerator:
    """Return one width for inference: the same images faster, up to rounding.

    Batch norms and gains are part of the layers around them, with the statistics as they are; its weights and images
    are ``channels_last``. It cannot be trained or sliced. The generator stays as it is. Of a family with nothing to
    fold it is the slice.

    Args:
        generator: A generator in either mode.
        width: One of its ``widths``.

    Raises:
        SlimGANError: If the width is not in the list, or the generator's family does not say how it is folded.
    """
    kind = FOLDED.get(type(generator))
    has_norms = any(isinstance(module, nn.BatchNorm2d) for module in generator.modules())
    if kind is None and (has_norms or isinstance(generator, FoldedGenerator)):
        known = " or a ".join(source.__name__ for source in FOLDED)
        raise SlimGANError(f"a {type(generator).__name__} cannot be folded; give a {known}")
    narrow = generator.slice(width)
    folded = narrow if kind is None else kind.from_slice(narrow)
    return folded.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def fold_norm(conv: Conv, norm: nn.Module, target: Conv, affine: ChannelAffine | None) -> None:
    """Fold a norm into the convolution before it, or into ``affine``."""
    if affine is None:
        target.weight, target.bias = fuse(conv.weight, conv.bias, norm, isinstance(conv, nn.ConvTranspose2d))
    else:
        target.load_state_dict(conv.state_dict())
        fold_affine(norm, affine)


def fold_affine(norm: nn.Module, target: ChannelAffine) -> None:
    """Write a norm as scale and shift, per class if conditional."""
    scale, shift = scale_and_shift(norm)
    if not isinstance(norm, SwitchableBatchNorm2d):
        name = "classes.0" if isinstance(norm, SwitchableConditionalBatchNorm2d) else "classes"
        gain, bias = (norm.get_parameter(f"{name}.{part}.weight") for part in ("gain", "bias"))
        scale, shift = gain * scale, gain * shift + bias
    target.scale.copy_(scale)
    target.shift.copy_(shift)


def fold_last_norm(norm: nn.Module, layers: Sequence[nn.Module], repeats: int = 1) -> None:
    """Fold a norm without classes into layers that are summed before it.

    What lies between the layers and the norm commutes with scale and shift. ``repeats`` is the number of outputs per
    channel of the norm.
    """
    scale, shift = (values.repeat(repeats) for values in scale_and_shift(norm))
    for layer in layers:
        for value in layer.parameters():
            value.mul_(scale.view(-1, *[1] * (value.dim() - 1)))
    layers[0].get_parameter("bias").add_(shift)


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return a batch norm's scale and shift ``(C,)``: the folded identity."""
    ones = torch.ones_like(batch_norm(norm).running_mean)
    scale, shift = fuse(ones[:, None], None, norm)
    return scale[:, 0], shift


def fuse(
    weight: Tensor, bias: Tensor | None, norm: nn.Module, transpose: bool = False
) -> tuple[nn.Parameter, nn.Parameter]:
    """Return a layer's weight and bias with its batch norm included."""
    bn = batch_norm(norm)
    return fuse_conv_bn_weights(
        weight, bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose=transpose
    )


def batch_norm(norm: nn.Module) -> Any:
    """Return the only batch norm of a norm that has one width."""
    return norm.get_submodule("norms.0" if isinstance(norm, SwitchableBatchNorm2d) else "norm.norms.0")
