"""Discriminator banks: a discriminator per width behind a shared trunk.

Shape legend: N images, C channels, H = W pixels a side.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError, check_range
from slimgan_pl.layers import Stages, initialized, spectral
from slimgan_pl.layers.widths import check_labels
from slimgan_pl.utils.recipes import Recorded

__all__ = ["DiscriminatorBank", "ProjectionHead", "check_sizes"]


class DiscriminatorBank(Recorded, nn.Module):
    """Base of banks: a trunk, then a branch and head per discriminator.

    A family passes what makes its stages ``(N, C, H, W) -> (N, C', H', W')`` and its head ``forward(x, labels)``, from
    the last stage's output to logits ``(N, 1)``. If its constructor has no arguments ``num_branches``, ``num_shared``
    and ``share_head``, it overrides ``individual``.

    Args:
        stages: A function per stage that makes its module.
        head: Function that makes a head.
        image_channels: Channels of the images.
        num_branches: Discriminators; as many as the generator has widths, narrow to wide.
        num_shared: Stages in the trunk, from 0 to the number of stages.
        num_classes: Classes of a conditional bank; 0 for an unconditional one.
        share_head: Whether all have one head; with ``num_shared=0`` the ablation that shares only the last layer.
        image_size: Side in pixels of the images; None for any multiple of ``image_multiple``.
        image_multiple: Number of pixels that has to divide the side.

    Attributes:
        batch_multiple: Number of neighbouring images that a discriminator compares, and that has to divide a batch.

    Raises:
        SlimGANError: If a number is out of range.
    """

    batch_multiple = 1

    def __init__(
        self,
        stages: Sequence[Callable[[], nn.Module]],
        head: Callable[[], nn.Module],
        image_channels: int,
        num_branches: int,
        num_shared: int,
        num_classes: int,
        share_head: bool,
        image_size: int | None = None,
        image_multiple: int = 1,
    ) -> None:
        super().__init__()
        if not 0 <= num_shared <= len(stages):
            raise SlimGANError(f"num_shared is {num_shared}, but these discriminators have stages 0 to {len(stages)}")
        if num_branches < 1:
            raise SlimGANError(f"num_branches is {num_branches}; give one per width of the generator")
        check_range("the discriminators' num_classes", num_classes, 0)
        self.image_channels = image_channels
        self.image_size = image_size
        self.image_multiple = image_multiple
        self.num_branches = num_branches
        self.num_stages = len(stages)
        self.num_shared = num_shared
        self.num_classes = num_classes
        self.trunk = Stages(*(make() for make in stages[:num_shared]))
        self.branches = nn.ModuleList(
            Stages(*(make() for make in stages[num_shared:]), first=num_shared) for _ in range(num_branches)
        )
        self.heads = nn.ModuleList(head() for _ in range(1 if share_head else num_branches))

    def forward(self, images: Tensor, labels: Tensor | None = None, *, branch: int) -> Tensor:
        """Return one discriminator's logits of images.

        Args:
            images: Shape ``(N, C, H, W)`` in [-1, 1].
            labels: Integers ``(N,)``, for a conditional bank only.
            branch: Number of the discriminator, counted from the narrowest width's.

        Returns:
            Logits of shape ``(N, 1)``; positive means real.
        """
        check_labels(labels, self.num_classes, "discriminator bank")
        return self.branch_logits(self.trunk(images), labels, branch=branch)

    def forward_all(
        self,
        real: Tensor,
        fakes: Sequence[Tensor],
        real_labels: Tensor | None = None,
        fake_labels: Sequence[Tensor] | None = None,
    ) -> list[tuple[Tensor, Tensor]]:
        """Return all discriminators' logits; the trunk sees each image once.

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
        else:  # tensors small enough for caches and allocators
            shared_fakes = [self.trunk(batch) for batch in fakes]
        return [
            self.forward_branch(
                shared_real, shared_fake, real_labels, None if fake_labels is None else fake_labels[branch], branch
            )
            for branch, shared_fake in enumerate(shared_fakes)
        ]

    def forward_branch(
        self,
        shared_real: Tensor,
        shared_fake: Tensor,
        real_labels: Tensor | None,
        fake_labels: Tensor | None,
        branch: int,
    ) -> tuple[Tensor, Tensor]:
        """Return one discriminator's real and fake logits ``(N, 1)``."""
        labels = None if real_labels is None or fake_labels is None else torch.cat([real_labels, fake_labels])
        logits = self.branch_logits(torch.cat([shared_real, shared_fake]), labels, branch=branch)
        real_logits, fake_logits = logits.split([len(shared_real), len(shared_fake)])
        return real_logits, fake_logits

    def branch_logits(self, shared: Tensor, labels: Tensor | None = None, *, branch: int) -> Tensor:
        """Return one discriminator's logits ``(N, 1)`` of what the trunk returns."""
        logits: Tensor = self.heads[branch % len(self.heads)](self.branches[branch](shared), labels)
        return logits

    def recompute_stages(self, count: int) -> None:
        """Set how many of the first stages are computed again in the backward pass, for less memory."""
        for part in (self.trunk, *self.branches):
            part.recomputed = count

    def individual(self) -> Self:
        """Return a new bank with the full discriminator of a plain GAN."""
        return type(self)(**{**self.arguments, "num_branches": 1, "num_shared": 0, "share_head": False})


def check_sizes(channels: Sequence[int], image_channels: int, bottom_size: int = 1, least: int = 1) -> None:
    """Raise a SlimGANError if no stage can be made of these numbers; there are at least ``least`` channels."""
    if not channels:
        raise SlimGANError("the discriminators' channels are empty; give for example [64, 128, 256, 512]")
    if len(channels) < least:
        raise SlimGANError(f"the discriminators' channels are {list(channels)}; give at least {least} numbers")
    for stage, number in enumerate(channels):
        check_range(f"entry {stage} of the discriminators' channels", number, 1)
    check_range("the discriminators' image_channels", image_channels, 1)
    check_range("the discriminators' bottom_size", bottom_size, 1)


class ProjectionHead(nn.Module):
    """Pooling and a linear layer to logits ``(N, 1)``.

    With classes it adds the inner product of the features with an embedding of the label (Miyato and Koyama 2018).
    ``pool`` turns ``(N, C, H, W)`` into ``(N, features)``; ``num_classes`` is 0 for none.
    """

    def __init__(
        self, pool: Callable[[Tensor], Tensor], features: int, num_classes: int, spectral_norm: bool = True
    ) -> None:
        super().__init__()
        make = spectral if spectral_norm else initialized
        self.pool = pool
        self.linear = make(nn.Linear(features, 1))
        self.embedding = make(nn.Embedding(num_classes, features)) if num_classes else None

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        x = self.pool(x)
        logits: Tensor = self.linear(x)
        if self.embedding is not None:
            logits = logits + (self.embedding(labels) * x).sum(dim=1, keepdim=True)
        return logits
