"""Discriminator banks: one discriminator per width, with their first stages shared as a trunk.

Shape legend: N images, C channels, H = W pixels a side.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.errors import UserError, check_range
from slimgan_pl.models.blocks import DCGANDiscriminatorBlock, ProjectionHead, ResNetDiscriminatorBlock, check_labels
from slimgan_pl.recorded import Recorded

__all__ = ["DCGANDiscriminatorBank", "DiscriminatorBank", "ResNetDiscriminatorBank"]


class DiscriminatorBank(Recorded, nn.Module, ABC):
    """Base of the banks: a trunk of ``num_shared`` stages, then a branch of own stages and a head per discriminator.

    Args:
        num_stages: Stages of each discriminator.
        head_features: Features that enter a head.
        num_branches: Discriminators; as many as the generator has widths, narrow to wide.
        num_shared: Stages in the trunk, from 0 to ``num_stages``.
        num_classes: Classes of a conditional bank (projection heads); 0 for an unconditional one.
        share_head: Whether all have one head; with ``num_shared=0`` the ablation that shares only the last layer.

    Raises:
        UserError: If a number is out of range.
    """

    image_channels: int
    image_size: int | None = None  # side in pixels that the bank takes; None: any multiple of ``image_multiple``
    image_multiple: int = 1

    def __init__(
        self,
        num_stages: int,
        head_features: int,
        num_branches: int,
        num_shared: int,
        num_classes: int,
        share_head: bool,
    ) -> None:
        super().__init__()
        if not 0 <= num_shared <= num_stages:
            raise UserError(f"num_shared is {num_shared}, but these discriminators have stages 0 to {num_stages}")
        if num_branches < 1:
            raise UserError(f"num_branches is {num_branches}; give one per width of the generator")
        check_range("the discriminators' num_classes", num_classes, 0)
        self.num_branches = num_branches
        self.num_stages = num_stages
        self.num_shared = num_shared
        self.num_classes = num_classes
        self.trunk = nn.Sequential(*(self.make_stage(stage) for stage in range(num_shared)))
        self.branches = nn.ModuleList(
            nn.Sequential(*(self.make_stage(stage) for stage in range(num_shared, num_stages)))
            for _ in range(num_branches)
        )
        num_heads = 1 if share_head else num_branches
        self.heads = nn.ModuleList(ProjectionHead(head_features, num_classes) for _ in range(num_heads))

    @abstractmethod
    def make_stage(self, stage: int) -> nn.Module:
        """Return a new stage ``(N, C, H, W) -> (N, C', H', W')``."""

    @abstractmethod
    def pool(self, x: Tensor) -> Tensor:
        """Turn the last stage's output into the head's features ``(N, F)``."""

    def forward(self, images: Tensor, labels: Tensor | None = None, *, branch: int) -> Tensor:
        """Judge images with one discriminator.

        Args:
            images: Shape ``(N, C, H, W)`` in [-1, 1].
            labels: Integers ``(N,)``, for a conditional bank only.
            branch: Which discriminator, counted from the narrowest width's.

        Returns:
            Logits of shape ``(N, 1)``; positive means real.
        """
        check_labels(labels, self.num_classes, "discriminator bank")
        return self._finish(self.trunk(images), labels, branch)

    def forward_all(
        self,
        real: Tensor,
        fakes: Sequence[Tensor],
        real_labels: Tensor | None = None,
        fake_labels: Sequence[Tensor] | None = None,
    ) -> list[tuple[Tensor, Tensor]]:
        """Judge real images with every discriminator, and each one's own fakes; the trunk sees each image once.

        Args:
            real: Real images ``(N, C, H, W)`` in [-1, 1].
            fakes: One batch of fakes per discriminator.
            real_labels: Integers ``(N,)``, for a conditional bank only.
            fake_labels: One tensor of labels per batch of fakes, likewise.

        Returns:
            Per discriminator the logits of the real images and of its fakes, each ``(N, 1)``.
        """
        check_labels(real_labels, self.num_classes, "discriminator bank")
        shared_real = self.trunk(real)
        if real.is_cuda:  # few launches
            shared_fakes = list(self.trunk(torch.cat(list(fakes))).split([len(batch) for batch in fakes]))
        else:  # tensors that caches and allocators can take
            shared_fakes = [self.trunk(batch) for batch in fakes]
        return [
            self.judge_branch(
                shared_real, shared_fake, real_labels, None if fake_labels is None else fake_labels[branch], branch
            )
            for branch, shared_fake in enumerate(shared_fakes)
        ]

    def judge_branch(
        self,
        shared_real: Tensor,
        shared_fake: Tensor,
        real_labels: Tensor | None,
        fake_labels: Tensor | None,
        branch: int,
    ) -> tuple[Tensor, Tensor]:
        """Return one discriminator's logits ``(N, 1)`` of real images and of fakes from what the trunk made of them."""
        labels = None
        if real_labels is not None and fake_labels is not None:
            labels = torch.cat([real_labels, fake_labels])
        logits = self._finish(torch.cat([shared_real, shared_fake]), labels, branch)
        real_logits, fake_logits = logits.split([len(shared_real), len(shared_fake)])
        return real_logits, fake_logits

    def _finish(self, shared: Tensor, labels: Tensor | None, branch: int) -> Tensor:
        features = self.pool(self.branches[branch](shared))
        logits: Tensor = self.heads[branch % len(self.heads)](features, labels)
        return logits


class DCGANDiscriminatorBank(DiscriminatorBank):
    """Per channel count but the last a 3x3 and a 4x4/2 convolution, then a 3x3; each convolution is a stage.

    Args:
        channels: Channels of each pair of convolutions, and of the last one.
        bottom_size: Side in pixels that reaches the last convolution.
        image_channels: Channels of the images.
        num_branches: Discriminators, one per width.
        num_shared: Stages that they share.
        num_classes: Classes; 0 for an unconditional bank.
        share_head: Whether they share their last layer too.
    """

    def __init__(
        self,
        channels: Sequence[int],
        bottom_size: int = 4,
        image_channels: int = 3,
        num_branches: int = 4,
        num_shared: int = 0,
        num_classes: int = 0,
        share_head: bool = False,
    ) -> None:
        check_sizes(channels, image_channels, bottom_size)
        inputs = (image_channels, *channels)
        pairs = list(zip(inputs, channels, strict=False))
        self._schedule = [stage for low, high in pairs[:-1] for stage in ((low, high, False), (high, high, True))] + [
            (*pairs[-1], False)
        ]
        features = channels[-1] * bottom_size**2
        super().__init__(len(self._schedule), features, num_branches, num_shared, num_classes, share_head)
        self.image_channels = image_channels
        self.image_size = bottom_size * 2 ** (len(channels) - 1)

    def make_stage(self, stage: int) -> nn.Module:
        return DCGANDiscriminatorBlock(*self._schedule[stage])

    def pool(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class ResNetDiscriminatorBank(DiscriminatorBank):
    """A residual block per entry of the schedule, then ReLU and a sum over space; each block is a stage.

    Args:
        channels: Channels of each block.
        num_downsamples: How many of the first blocks halve the side.
        image_channels: Channels of the images.
        num_branches: Discriminators, one per width.
        num_shared: Stages that they share.
        num_classes: Classes; 0 for an unconditional bank.
        share_head: Whether they share their last layer too.
        rectified_shortcut: Whether shortcuts start after the leading ReLU, as in the authors' code.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_downsamples: int,
        image_channels: int = 3,
        num_branches: int = 4,
        num_shared: int = 0,
        num_classes: int = 0,
        share_head: bool = False,
        rectified_shortcut: bool = True,
    ) -> None:
        check_sizes(channels, image_channels)
        if not 0 <= num_downsamples <= len(channels):
            raise UserError(f"num_downsamples is {num_downsamples}; these discriminators have {len(channels)} blocks")
        self._inputs = (image_channels, *channels)
        self._num_downsamples = num_downsamples
        self._rectified_shortcut = rectified_shortcut
        super().__init__(len(channels), channels[-1], num_branches, num_shared, num_classes, share_head)
        self.image_channels = image_channels
        self.image_multiple = 2**num_downsamples

    def make_stage(self, stage: int) -> nn.Module:
        return ResNetDiscriminatorBlock(
            self._inputs[stage],
            self._inputs[stage + 1],
            downsample=stage < self._num_downsamples,
            first=stage == 0,
            rectified_shortcut=self._rectified_shortcut,
        )

    def pool(self, x: Tensor) -> Tensor:
        return F.relu(x).sum(dim=(2, 3))


def check_sizes(channels: Sequence[int], image_channels: int, bottom_size: int = 1) -> None:
    """Raise a UserError where no stage can be made of these numbers."""
    if not channels:
        raise UserError("the discriminators' channels are empty; give for example [64, 128, 256, 512]")
    for stage, number in enumerate(channels):
        check_range(f"entry {stage} of the discriminators' channels", number, 1)
    check_range("the discriminators' image_channels", image_channels, 1)
    check_range("the discriminators' bottom_size", bottom_size, 1)
