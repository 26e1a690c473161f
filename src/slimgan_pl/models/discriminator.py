"""Discriminator banks: one discriminator per width, with their first stages shared as a trunk.

Shape legend: N images, C channels, H = W pixels a side.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError, check_range
from slimgan_pl.layers import spectral
from slimgan_pl.layers.widths import check_labels
from slimgan_pl.utils.recipes import Recorded

__all__ = ["DiscriminatorBank", "ProjectionHead"]


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
        SlimGANError: If a number is out of range.
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
            raise SlimGANError(f"num_shared is {num_shared}, but these discriminators have stages 0 to {num_stages}")
        if num_branches < 1:
            raise SlimGANError(f"num_branches is {num_branches}; give one per width of the generator")
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


def check_sizes(channels: Sequence[int], image_channels: int, bottom_size: int = 1) -> None:
    """Raise a SlimGANError where no stage can be made of these numbers."""
    if not channels:
        raise SlimGANError("the discriminators' channels are empty; give for example [64, 128, 256, 512]")
    for stage, number in enumerate(channels):
        check_range(f"entry {stage} of the discriminators' channels", number, 1)
    check_range("the discriminators' image_channels", image_channels, 1)
    check_range("the discriminators' bottom_size", bottom_size, 1)


class ProjectionHead(nn.Module):
    """Last layer of a discriminator: features ``(N, F)`` to logits ``(N, 1)``.

    With classes it adds the inner product of the features with an embedding of the label (Miyato and Koyama 2018).
    """

    def __init__(self, features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = spectral(nn.Linear(features, 1))
        self.embedding = spectral(nn.Embedding(num_classes, features)) if num_classes else None

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        logits: Tensor = self.linear(x)
        if self.embedding is not None:
            logits = logits + (self.embedding(labels) * x).sum(dim=1, keepdim=True)
        return logits
