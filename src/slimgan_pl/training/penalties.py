"""Gradient penalties of the discriminators: R1 on real images, R2 on fakes.

Shape legend: N images, M penalised images, C channels, H = W pixels a side.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from slimgan_pl.errors import SlimGANError, check_choice, check_range

__all__ = ["NO_PENALTY", "Penalty", "choose_images", "finite_difference", "gradient_norms"]

PenalizedImages = Literal["both", "real", "fake"]
PenaltyMethod = Literal["finite-difference", "exact"]


@dataclasses.dataclass(frozen=True)
class Penalty:
    """Settings of ``gamma / 2 * E[|grad_x D(x)|^2]`` for each discriminator.

    The gradient is that with respect to the images before augmentation; the square sums over channels and pixels
    (R1: Mescheder et al. 2018).

    Args:
        gamma: Weight; 0 for no penalty. It grows with the images' side: 0.05 suits 16 to 32 pixels, and it is about
            proportional to the number of pixels.
        images: ``real`` (R1), ``fake`` (R2), or ``both``.
        method: ``exact``, by a second backward pass, or by a ``finite-difference`` along one random direction per
            image, with the same mean (Lin et al. 2025, "Adversarial Flow Models"). The latter costs a forward pass. Of
            discriminators that compare images, ``exact`` takes the gradient of the sum of a group's logits, and a
            difference that of each.
        share: Share of each batch that is penalised, above 0 and at most 1.
        every: Iterations between two that penalise; the penalty is multiplied by it (Karras et al. 2020, "Analyzing
            and Improving the Image Quality of StyleGAN", "lazy").
        epsilon: Standard deviation per pixel of the step of a finite difference, in images of [-1, 1].

    Raises:
        SlimGANError: If a number is out of range.
    """

    gamma: float = 0.0
    images: PenalizedImages = "both"
    method: PenaltyMethod = "finite-difference"
    share: float = 0.25
    every: int = 1
    epsilon: float = 0.01

    def __post_init__(self) -> None:
        check_range("the penalty's gamma", self.gamma, 0)
        check_choice("the penalty's images", self.images, get_args(PenalizedImages))
        check_choice("the penalty's method", self.method, get_args(PenaltyMethod))
        check_range("the penalty's every", self.every, 1)
        if not 0 < self.share <= 1:
            raise SlimGANError(f"the penalty's share is {self.share}; give more than 0 and at most 1")
        if not 0 < self.epsilon < float("inf"):
            raise SlimGANError(f"the penalty's epsilon is {self.epsilon}; give more than 0, such as 0.01")

    @property
    def takes_directions(self) -> bool:
        """True if it needs random directions."""
        return self.method == "finite-difference"

    @property
    def sides(self) -> int:
        """Number of kinds of images, real and fake, that it penalises."""
        return 2 if self.images == "both" else 1

    def count(self, batch_size: int, multiple: int = 1) -> int:
        """Return how many images M of a batch are penalised, a multiple of a number."""
        return multiple * max(1, round(self.share * batch_size / multiple))


NO_PENALTY = Penalty()


def choose_images(count: int, total: int, device: torch.device | None = None, multiple: int = 1) -> Tensor:
    """Return the numbers of ``count`` images, evenly spaced in a batch.

    So the parts of a batch hold their share of them. Groups of ``multiple`` images stay together. The numbers are on
    the images' ``device``, which a CUDA graph needs.

    >>> choose_images(2, 8), choose_images(4, 8, multiple=2)
    (tensor([0, 4]), tensor([0, 1, 4, 5]))
    """
    groups = torch.arange(count // multiple, device=device) * (total // multiple) // (count // multiple)
    return (groups[:, None] * multiple + torch.arange(multiple, device=device)).flatten()


def finite_difference(logits: Tensor, moved: Tensor, epsilon: float) -> Tensor:
    """Return an estimate of each image's squared gradient norm ``(M,)``.

    Args:
        logits: Logits ``(M, 1)`` of images.
        moved: Logits ``(M, 1)`` of the images plus ``epsilon`` times a standard normal direction each.
        epsilon: Length of the step.
    """
    return ((moved - logits) / epsilon).square().flatten()


def gradient_norms(discriminate: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return each image's squared gradient norm ``(M,)``, which has a gradient itself.

    Args:
        discriminate: Returns logits ``(M, 1)``, each of its image or of a group of neighbours.
        images: Images ``(M, C, H, W)`` without a graph.
    """
    images = images.detach().requires_grad_()
    (gradients,) = torch.autograd.grad(discriminate(images).sum(), images, create_graph=True)
    return gradients.square().flatten(1).sum(1)
