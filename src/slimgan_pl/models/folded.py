"""Generators of one width without batch norms, for inference alone.

What they hold comes from :func:`slimgan_pl.deploy.folded_slice`. Activations and weights are ``channels_last``, and
layers overwrite what nobody reads again: the fewer bytes move, the faster a memory-bound layer is. Shape legend: N
images, C channels, H = W pixels a side.
"""

from abc import ABC
from collections.abc import Sequence
from typing import NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.errors import UserError
from slimgan_pl.models.blocks import upsample
from slimgan_pl.models.generators import SlimmableGenerator

__all__ = [
    "ChannelAffine",
    "FoldedDCGANBlock",
    "FoldedDCGANGenerator",
    "FoldedGenerator",
    "FoldedResNetBlock",
    "FoldedResNetGenerator",
]


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
        raise UserError("a folded generator has one width and cannot be sliced; slice the generator it was made from")


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
