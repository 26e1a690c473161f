"""ResNet: generator, its folded form, and discriminator bank (Miyato et al. 2018).

Shape legend: N images, C channels, H = W pixels a side.
"""

import math
from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import SlicedConv2d, SwitchableBatchNorm2d, initialized, spectral
from slimgan_pl.models.discriminator import DiscriminatorBank, ProjectionHead, check_sizes
from slimgan_pl.models.folding import ChannelAffine, FoldedStagedGenerator, fold_affine, fold_last_norm, fold_norm
from slimgan_pl.models.staged import StagedGenerator

__all__ = [
    "FoldedResNetGenerator",
    "ResNetDiscriminatorBank",
    "ResNetDiscriminatorBlock",
    "ResNetGenerator",
    "ResNetGeneratorBlock",
    "convolve_and_pool",
    "upsample",
]


class ResNetGeneratorBlock(nn.Module):
    """Pre-activation residual block that doubles the side by bilinear interpolation.

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
    """Interpolate ``(N, C, H, W)`` to ``(N, C, 2H, 2W)``, bilinearly."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ResNetGenerator(StagedGenerator):
    """Stem; a residual block per stage; batch norm, ReLU, 3x3 convolution; tanh.

    With ``num_classes`` the blocks' batch norms are conditional and the last one is plain.
    """

    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        norms = self.make_norm(in_channels), self.make_norm(out_channels)
        return ResNetGeneratorBlock(in_channels, out_channels, *norms)

    def add_last_layers(self) -> None:
        self.norm = SwitchableBatchNorm2d(self.channels[-1], self.widths)

    def finish(self, x: Tensor, width: float) -> Tensor:
        return F.relu(self.norm(x, width))


class FoldedResNetBlock(nn.Module):
    """Residual block with an affine first and the second norm in ``conv1``."""

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


class FoldedResNetGenerator(FoldedStagedGenerator, source=ResNetGenerator):
    """A ``ResNetGenerator`` of one width, folded.

    Its last norm is part of the last block, or of the stem without one.
    """

    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        return FoldedResNetBlock(in_channels, out_channels, self.num_classes)

    def fold_block(self, source: ResNetGeneratorBlock, target: FoldedResNetBlock) -> None:
        fold_affine(source.norm1, target.affine1)
        fold_norm(source.conv1, source.norm2, target.conv1, target.affine2)
        target.conv2.load_state_dict(source.conv2.state_dict())
        target.shortcut.load_state_dict(source.shortcut.state_dict())

    @classmethod
    def from_slice(cls, source: ResNetGenerator) -> Self:
        folded = super().from_slice(source)
        layers = [block.get_submodule(name) for block in folded.blocks[-1:] for name in ("conv2", "shortcut")]
        if layers:  # the shortcut's upsampling commutes with scale and shift
            fold_last_norm(source.norm, layers)
        else:
            fold_last_norm(source.norm, [folded.stem], folded.bottom_size**2)
        return folded

    def finish(self, x: Tensor, width: float) -> Tensor:
        return x.relu_()


class ResNetDiscriminatorBlock(nn.Module):
    """Residual block, spectrally normalised by default.

    NOTE: the authors' activation works in place, so their shortcut adds relu(x) where the paper's figure adds x;
    ``rectified_shortcut=False`` is the usual form. The 1x1 convolution of the shortcut runs after the pooling, on a
    quarter of the pixels; the two commute. A 3x3 convolution and the pooling after it are one of 4x4/2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        downsample: bool,
        first: bool,
        rectified_shortcut: bool,
        spectral_norm: bool = True,
    ) -> None:
        super().__init__()
        make = spectral if spectral_norm else initialized
        hidden = out_channels if first else in_channels
        gain = math.sqrt(2)
        self.first, self.downsample, self.rectified_shortcut = first, downsample, rectified_shortcut
        self.conv1 = make(nn.Conv2d(in_channels, hidden, 3, padding=1), gain)
        self.conv2 = make(nn.Conv2d(hidden, out_channels, 3, padding=1), gain)
        changes = downsample or in_channels != out_channels
        self.shortcut = make(nn.Conv2d(in_channels, out_channels, 1)) if changes else nn.Identity()

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
    """Apply a padded 3x3 convolution and 2x2 average pooling in one.

    ``(N, C, H, W)`` becomes ``(N, C', H/2, W/2)``. Each output is the mean of four windows, so it is the window of 4x4
    under the mean of the four shifted kernels: 16 multiply-accumulates in place of 36.
    """
    weight = F.avg_pool2d(F.pad(conv.weight, (1, 1, 1, 1)), 2, stride=1)
    return F.conv2d(x, weight, conv.bias, stride=2, padding=1)


class ResNetDiscriminatorBank(DiscriminatorBank):
    """Residual blocks, each a stage, then ReLU and a sum over space.

    Args:
        channels: Channels of each block.
        num_downsamples: How many of the first blocks halve the side.
        image_channels: Channels of the images; by default 3, as this and the next are the generator's in the command.
        num_branches: Discriminators, one per width; by default 4.
        num_shared: Stages that they share.
        num_classes: Classes; by default 0, an unconditional bank.
        share_head: Whether they share their last layer too.
        rectified_shortcut: Whether shortcuts start after the leading ReLU, as in the authors' code.
        spectral_norm: Whether all layers are spectrally normalised; off where a gradient penalty takes its place.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_downsamples: int,
        image_channels: int | None = None,
        num_branches: int | None = None,
        num_shared: int = 0,
        num_classes: int | None = None,
        share_head: bool = False,
        rectified_shortcut: bool = True,
        spectral_norm: bool = True,
    ) -> None:
        image_channels = self.settle("image_channels", image_channels, 3)
        num_branches = self.settle("num_branches", num_branches, 4)
        num_classes = self.settle("num_classes", num_classes, 0)
        check_sizes(channels, image_channels)
        if not 0 <= num_downsamples <= len(channels):
            raise SlimGANError(
                f"num_downsamples is {num_downsamples}; these discriminators have {len(channels)} blocks"
            )
        schedule = zip((image_channels, *channels), channels, strict=False)
        form = rectified_shortcut, spectral_norm
        stages = [
            partial(ResNetDiscriminatorBlock, low, high, stage < num_downsamples, stage == 0, *form)
            for stage, (low, high) in enumerate(schedule)
        ]
        head = partial(ProjectionHead, sum_pool, channels[-1], num_classes, spectral_norm)
        settings = image_channels, num_branches, num_shared, num_classes, share_head
        super().__init__(stages, head, *settings, image_multiple=2**num_downsamples)


def sum_pool(x: Tensor) -> Tensor:
    """Apply ReLU and sum over space, to ``(N, C)``."""
    return F.relu(x).sum(dim=(2, 3))
