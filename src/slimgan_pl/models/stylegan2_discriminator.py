"""StyleGAN2: bank of residual discriminators (Karras et al. 2020, "Analyzing and Improving ... StyleGAN").

Shape legend: N images, C channels, H = W pixels a side.
"""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError, check_range
from slimgan_pl.layers import Downsample, EqualizedConv2d, EqualizedLinear
from slimgan_pl.layers.equalized import MappingLayer, activate, normalize
from slimgan_pl.models.discriminator import DiscriminatorBank, check_sizes

__all__ = ["MinibatchDeviation", "StyleGAN2DiscriminatorBank"]

BOTTOM = 4  # pixels a side of the head's input

HALF = torch.float16, torch.bfloat16  # too coarse for small deviations


class StyleGAN2DiscriminatorBlock(nn.Module):
    """Two 3x3 convolutions around a 1x1 shortcut; halves the side.

    Args:
        image_channels: Channels of the images that the first block takes; 0 for the others.
        in_channels: Channels of the first convolution.
        out_channels: Channels of the result.
    """

    def __init__(self, image_channels: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.from_image = EqualizedConv2d(image_channels, in_channels, 1) if image_channels else None
        self.conv1 = EqualizedConv2d(in_channels, in_channels, 3)
        self.conv2 = EqualizedConv2d(in_channels, out_channels, 3)
        self.shortcut = EqualizedConv2d(in_channels, out_channels, 1, bias=False)
        self.downsample = Downsample()

    def forward(self, x: Tensor) -> Tensor:
        if self.from_image is not None:
            x = activate(self.from_image(x))
        h = activate(self.conv1(x))
        h = activate(self.downsample.convolve(h, self.conv2.scaled_weight, self.conv2.bias))
        result: Tensor = (h + self.shortcut(self.downsample(x))) * math.sqrt(0.5)
        return result


class MinibatchDeviation(nn.Module):
    """Add a channel with the mean deviation within each group of images (Karras et al. 2018).

    ``(N, C, H, W) -> (N, C + 1, H, W)``.

    NOTE: StyleGAN2's code takes every (N / group)-th image for a group, here neighbours are one, so that a batch made
    of parts has the groups of its parts.
    """

    def __init__(self, group_size: int) -> None:
        super().__init__()
        self.group_size = group_size

    def forward(self, x: Tensor) -> Tensor:
        if len(x) % self.group_size:
            raise SlimGANError(
                f"these discriminators compare groups of {self.group_size} images, and got {len(x)}; give a multiple"
            )
        groups = (x.float() if x.dtype in HALF else x).unflatten(0, (-1, self.group_size))
        deviation = (groups.var(1, correction=0) + 1e-8).sqrt().mean((1, 2, 3)).to(x.dtype)
        channel = deviation.repeat_interleave(self.group_size)[:, None, None, None].expand(-1, -1, *x.shape[2:])
        return torch.cat([x, channel], dim=1)


class StyleGAN2Head(nn.Module):
    """Minibatch deviation, 3x3 convolution, two linear layers to logits ``(N, 1)``.

    With classes the last layer's features are projected on a mapped embedding of the label.
    """

    def __init__(self, channels: int, minibatch_group: int, num_classes: int, mapping_layers: int) -> None:
        super().__init__()
        self.deviation = MinibatchDeviation(minibatch_group) if minibatch_group > 1 else None
        self.conv = EqualizedConv2d(channels + (minibatch_group > 1), channels, 3)
        self.linear1 = EqualizedLinear(channels * BOTTOM**2, channels)
        self.linear2 = EqualizedLinear(channels, channels if num_classes else 1)
        self.label = nn.Embedding(num_classes, channels) if num_classes else None
        count = mapping_layers if num_classes else 0
        self.mapping = nn.Sequential(*(MappingLayer(channels, channels) for _ in range(count)))

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        if self.deviation is not None:
            x = self.deviation(x)
        features: Tensor = self.linear2(activate(self.linear1(activate(self.conv(x)).flatten(1))))
        if self.label is None:
            return features
        label = self.mapping(normalize(self.label(labels)))
        logits: Tensor = (features * label).sum(1, keepdim=True) / math.sqrt(label.shape[1])
        return logits


class StyleGAN2DiscriminatorBank(DiscriminatorBank):
    """Residual blocks with downsampling, each a stage, and a head with minibatch deviation.

    Args:
        channels: Channels of each stage from the image down; the last is the head's, at 4 pixels a side.
        minibatch_group: Images of a batch that are compared with each other, which divide the batch; 1 for none.
        mapping_layers: Layers that map the embedding of a label; without classes there are none.
        image_channels: Channels of the images; by default 3, as this and the next are the generator's in the command.
        num_branches: Discriminators, one per width; by default 4.
        num_shared: Stages that they share.
        num_classes: Classes; by default 0, an unconditional bank.
        share_head: Whether they share their head too.
    """

    def __init__(
        self,
        channels: Sequence[int],
        minibatch_group: int = 4,
        mapping_layers: int = 8,
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
        check_range("the discriminators' minibatch_group", minibatch_group, 1)
        check_range("the discriminators' mapping_layers", mapping_layers, 0)
        stages = [
            partial(StyleGAN2DiscriminatorBlock, 0 if stage else image_channels, *pair)
            for stage, pair in enumerate(pairwise(channels))
        ]
        head = partial(StyleGAN2Head, channels[-1], minibatch_group, num_classes, mapping_layers)
        image_size = BOTTOM * 2 ** (len(channels) - 1)
        super().__init__(stages, head, image_channels, num_branches, num_shared, num_classes, share_head, image_size)
        self.batch_multiple = minibatch_group
