"""R3: generator without norms and discriminator bank (Huang et al. 2025, "The GAN is dead; long live the GAN!").

Shape legend: N images, C channels, H = W pixels a side.
"""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.errors import check_range
from slimgan_pl.layers import Downsample, ScaledConv2d, SlicedGroupedConv2d, SlicedLinear, Upsample, scaled_normal
from slimgan_pl.layers.widths import check_multiple
from slimgan_pl.models.discriminator import DiscriminatorBank, check_sizes
from slimgan_pl.models.generator import WIDTHS, SlimmableGenerator

__all__ = ["R3Block", "R3DiscriminatorBank", "R3Generator"]

BOTTOM = 4  # pixels a side of the basis
EXPANSION = 2  # inner channels of a block per outer one
SLOPE = 0.2  # of the LeakyReLU below 0
LABEL_DIM = 64  # numbers that a label adds to the latent


def channels_per_group(group_size: int) -> int:
    """Return the number of which the outer channels are a multiple, so that the inner ones are whole groups."""
    check_range("group_size", group_size, 1)
    return group_size // math.gcd(group_size, EXPANSION)


class R3Block(nn.Module):
    """Residual block: 1x1 to twice the channels, 3x3 in groups, 1x1 back.

    It begins as the identity, at every width.

    Args:
        channels: Outer channels at width 1.0.
        group_size: Inner channels of a group.
        num_blocks: Blocks of the whole net, which set the scale of the initial weights (Zhang et al. 2019, "Fixup").
    """

    def __init__(self, channels: int, group_size: int, num_blocks: int) -> None:
        super().__init__()
        gain = math.sqrt(2 / (1 + SLOPE**2)) * num_blocks**-0.25
        inner = EXPANSION * channels
        self.conv1 = scaled_normal(ScaledConv2d(channels, inner, 1), gain)
        self.conv2 = scaled_normal(SlicedGroupedConv2d(inner, group_size, 3, padding=1), gain)
        self.conv3 = scaled_normal(ScaledConv2d(inner, channels, 1, bias=False), 0)

    def forward(self, x: Tensor, width: float = 1.0) -> Tensor:
        h = F.leaky_relu(self.conv1(x, width), SLOPE)
        h = F.leaky_relu(self.conv2(h), SLOPE)
        result: Tensor = x + self.conv3(h, width)
        return result


class R3UpStage(nn.Module):
    """Stage of a generator: 1x1 where channels change, upsampling, blocks."""

    def __init__(self, in_channels: int, out_channels: int, blocks: Sequence[R3Block]) -> None:
        super().__init__()
        changes = in_channels != out_channels
        self.conv = scaled_normal(ScaledConv2d(in_channels, out_channels, 1, bias=False)) if changes else None
        self.upsample = Upsample()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, width: float) -> Tensor:
        x = self.upsample(x if self.conv is None else self.conv(x, width))
        for block in self.blocks:
            x = block(x, width)
        return x


class R3Basis(nn.Module):
    """First stage: a learned 4x4 image, each channel times a linear map of the latent."""

    def __init__(self, latent_dim: int, channels: int, blocks: Sequence[R3Block]) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, BOTTOM, BOTTOM))
        self.linear = scaled_normal(SlicedLinear(latent_dim, channels, bias=False))
        self.blocks = nn.ModuleList(blocks)

    def forward(self, latents: Tensor, width: float) -> Tensor:
        scales = self.linear(latents, width)
        x: Tensor = self.basis[: scales.shape[1]] * scales[:, :, None, None]
        for block in self.blocks:
            x = block(x, width)
        return x


class R3Generator(SlimmableGenerator):
    """Learned basis, residual blocks without norms, bilinear upsampling, 1x1 convolution.

    Images are linear in training mode, and clamped to [-1, 1] in evaluation mode. A net is a schedule: the first
    entry's stage has 4 pixels a side, each further one twice as many.

    Args:
        channels: Channels of each stage at width 1.0, from the bottom up.
        blocks: Residual blocks of each stage.
        group_size: Channels of a group of the 3x3 convolutions, which divides twice the channels of every width.
        latent_dim: Numbers in a latent, from N(0, 1).
        image_channels: Channels of the images, never sliced; by default 3 in Python, and the data's in the command.
        widths: Ascending shares of the channels, the last 1.0.
        num_classes: Classes of a conditional generator; 0 for an unconditional one.

    Raises:
        SlimGANError: If the channels of a width are no whole groups, or a number is out of range.
    """

    fixed_bottom = BOTTOM

    def __init__(
        self,
        channels: Sequence[int],
        blocks: int = 2,
        group_size: int = 16,
        latent_dim: int = 64,
        image_channels: int | None = None,
        widths: Sequence[float] = WIDTHS,
        num_classes: int = 0,
    ) -> None:
        image_channels = self.settle("image_channels", image_channels, 3)
        image_size = BOTTOM * 2 ** max(len(channels) - 1, 0)
        super().__init__(channels, widths, latent_dim, image_size, image_channels, num_classes)
        check_range("the generator's blocks", blocks, 1)
        check_multiple(self.channels, channels_per_group(group_size), self.widths)
        self.label = scaled_normal(nn.Embedding(num_classes, LABEL_DIM)) if num_classes else None
        first, *others = (
            [R3Block(number, group_size, blocks * len(self.channels)) for _ in range(blocks)]
            for number in self.channels
        )
        inputs = latent_dim + (LABEL_DIM if num_classes else 0)
        self.bottom = R3Basis(inputs, self.channels[0], first)
        pairs = zip(pairwise(self.channels), others, strict=True)
        self.stages = nn.ModuleList(R3UpStage(*pair, own) for pair, own in pairs)
        self.image = scaled_normal(ScaledConv2d(self.channels[-1], image_channels, 1, bias=False))

    def synthesize(self, latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        if self.label is not None:
            latents = torch.cat([latents, self.label(labels)], dim=1)
        x = self.bottom(latents, width)
        for number, stage in enumerate(self.stages, start=1):
            x = self.run_stage(number, stage, x, width)
        images: Tensor = self.image(x)
        return images if self.training else images.clamp(-1, 1)


class R3DownStage(nn.Module):
    """Stage of a discriminator: blocks, downsampling, 1x1 where channels change."""

    def __init__(self, first: nn.Module | None, blocks: Sequence[R3Block], last: nn.Module | None) -> None:
        super().__init__()
        self.first, self.last = first, last
        self.blocks = nn.ModuleList(blocks)
        self.downsample = Downsample()

    def forward(self, x: Tensor) -> Tensor:
        x = x if self.first is None else self.first(x)
        for block in self.blocks:
            x = block(x)
        x = self.downsample(x)
        return x if self.last is None else self.last(x)


class R3Head(nn.Module):
    """Blocks at 4x4, a depthwise 4x4 convolution, and a linear layer to logits ``(N, 1)``.

    With classes the linear layer's features are multiplied by an embedding of the label (Miyato and Koyama 2018).
    """

    def __init__(self, channels: int, blocks: int, group_size: int, num_blocks: int, num_classes: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(R3Block(channels, group_size, num_blocks) for _ in range(blocks)))
        self.pool = scaled_normal(nn.Conv2d(channels, channels, BOTTOM, groups=channels, bias=False))
        self.linear = scaled_normal(nn.Linear(channels, channels if num_classes else 1, bias=False))
        self.embedding = None
        if num_classes:
            self.embedding = scaled_normal(nn.Embedding(num_classes, channels), 1 / math.sqrt(channels))

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        features: Tensor = self.linear(self.pool(self.blocks(x)).flatten(1))
        return features if self.embedding is None else (features * self.embedding(labels)).sum(1, keepdim=True)


class R3DiscriminatorBank(DiscriminatorBank):
    """Residual blocks without norms and downsampling, each a stage; blocks at 4x4 in the head.

    Args:
        channels: Channels of each stage from the image down; the last is the head's, at 4 pixels a side.
        blocks: Residual blocks of each stage.
        group_size: Channels of a group of the 3x3 convolutions, which divides twice the channels of every stage.
        image_channels: Channels of the images; by default 3, as this and the next are the generator's in the command.
        num_branches: Discriminators, one per width; by default 4.
        num_shared: Stages that they share.
        num_classes: Classes; by default 0, an unconditional bank.
        share_head: Whether they share their head too.
    """

    def __init__(
        self,
        channels: Sequence[int],
        blocks: int = 2,
        group_size: int = 16,
        image_channels: int | None = None,
        num_branches: int | None = None,
        num_shared: int = 0,
        num_classes: int | None = None,
        share_head: bool = False,
    ) -> None:
        image_channels = self.settle("image_channels", image_channels, 3)
        num_branches = self.settle("num_branches", num_branches, 4)
        num_classes = self.settle("num_classes", num_classes, 0)
        check_sizes(channels, image_channels, least=2)
        check_range("the discriminators' blocks", blocks, 1)
        check_multiple(channels, channels_per_group(group_size))
        num_blocks = blocks * len(channels)
        stages = [
            partial(make_down_stage, image_channels if stage == 0 else 0, low, high, blocks, group_size, num_blocks)
            for stage, (low, high) in enumerate(pairwise(channels))
        ]
        head = partial(R3Head, channels[-1], blocks, group_size, num_blocks, num_classes)
        image_size = BOTTOM * 2 ** (len(channels) - 1)
        super().__init__(stages, head, image_channels, num_branches, num_shared, num_classes, share_head, image_size)


def make_down_stage(
    image_channels: int, channels: int, out_channels: int, blocks: int, group_size: int, num_blocks: int
) -> R3DownStage:
    """Return a stage of a discriminator; the first takes images, others have ``image_channels`` 0."""
    first = scaled_normal(nn.Conv2d(image_channels, channels, 1, bias=False)) if image_channels else None
    last = scaled_normal(nn.Conv2d(channels, out_channels, 1, bias=False)) if channels != out_channels else None
    return R3DownStage(first, [R3Block(channels, group_size, num_blocks) for _ in range(blocks)], last)
