"""DCGAN: generator, its folded form, and discriminator bank (Radford et al. 2016).

Shape legend: N images, C channels, H = W pixels a side.
"""

from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.layers import SlicedConvTranspose2d, initialized, spectral
from slimgan_pl.models.discriminator import DiscriminatorBank, ProjectionHead, check_sizes
from slimgan_pl.models.folding import ChannelAffine, FoldedStagedGenerator, fold_norm
from slimgan_pl.models.staged import StagedGenerator

__all__ = [
    "DCGANDiscriminatorBank",
    "DCGANDiscriminatorBlock",
    "DCGANGenerator",
    "DCGANGeneratorBlock",
    "FoldedDCGANGenerator",
]


class DCGANGeneratorBlock(nn.Module):
    """Transposed convolution 4x4/2, batch norm, ReLU: doubles the side."""

    def __init__(self, in_channels: int, out_channels: int, norm: nn.Module) -> None:
        super().__init__()
        self.conv = initialized(SlicedConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1))
        self.norm = norm

    def forward(self, x: Tensor, width: float, labels: Tensor | None) -> Tensor:
        return F.relu(self.norm(self.conv(x, width), width, labels))


class DCGANGenerator(StagedGenerator):
    """Stem; transposed convolution, batch norm and ReLU per stage; 3x3 convolution; tanh."""

    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        return DCGANGeneratorBlock(in_channels, out_channels, self.make_norm(out_channels))


class FoldedDCGANBlock(nn.Module):
    """Transposed convolution 4x4/2 with folded batch norm, affine per class, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)
        self.affine = ChannelAffine(out_channels, num_classes, overwrite=True) if num_classes else None

    def forward(self, x: Tensor, width: float, labels: Tensor | None) -> Tensor:
        x = self.conv(x)
        return (x if self.affine is None else self.affine(x, labels)).relu_()


class FoldedDCGANGenerator(FoldedStagedGenerator, source=DCGANGenerator):
    """A ``DCGANGenerator`` of one width, folded."""

    def make_block(self, in_channels: int, out_channels: int) -> nn.Module:
        return FoldedDCGANBlock(in_channels, out_channels, self.num_classes)

    def fold_block(self, source: DCGANGeneratorBlock, target: FoldedDCGANBlock) -> None:
        fold_norm(source.conv, source.norm, target.conv, target.affine)


class DCGANDiscriminatorBlock(nn.Module):
    """Convolution, LeakyReLU(0.1); a 4x4/2 one halves the side."""

    def __init__(self, in_channels: int, out_channels: int, downsample: bool, spectral_norm: bool = True) -> None:
        super().__init__()
        size, stride = (4, 2) if downsample else (3, 1)
        make = spectral if spectral_norm else initialized
        self.conv = make(nn.Conv2d(in_channels, out_channels, size, stride, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x), 0.1)


class DCGANDiscriminatorBank(DiscriminatorBank):
    """Convolutions, each a stage: pairs of 3x3 and 4x4/2, then 3x3.

    Args:
        channels: Channels of each pair of convolutions, and of the last one.
        bottom_size: Side in pixels that reaches the last convolution.
        image_channels: Channels of the images; by default 3, as this and the next are the generator's in the command.
        num_branches: Discriminators, one per width; by default 4.
        num_shared: Stages that they share.
        num_classes: Classes; by default 0, an unconditional bank.
        share_head: Whether they share their last layer too.
        spectral_norm: Whether all layers are spectrally normalised; off where a gradient penalty takes its place.
    """

    def __init__(
        self,
        channels: Sequence[int],
        bottom_size: int = 4,
        image_channels: int | None = None,
        num_branches: int | None = None,
        num_shared: int = 0,
        num_classes: int | None = None,
        share_head: bool = False,
        spectral_norm: bool = True,
    ) -> None:
        image_channels = self.settle("image_channels", image_channels, 3)
        num_branches = self.settle("num_branches", num_branches, 4)
        num_classes = self.settle("num_classes", num_classes, 0)
        check_sizes(channels, image_channels, bottom_size)
        *pairs, (low, high) = zip((image_channels, *channels), channels, strict=False)
        schedule = [stage for low, high in pairs for stage in ((low, high, False), (high, high, True))]
        schedule = [*schedule, (low, high, False)]
        stages = [partial(DCGANDiscriminatorBlock, *stage, spectral_norm) for stage in schedule]
        head = partial(ProjectionHead, nn.Flatten(), channels[-1] * bottom_size**2, num_classes, spectral_norm)
        image_size = bottom_size * 2 ** (len(channels) - 1)
        super().__init__(stages, head, image_channels, num_branches, num_shared, num_classes, share_head, image_size)
