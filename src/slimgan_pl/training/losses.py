"""Adversarial and distillation losses: pure functions of logits ``(N, 1)`` and images ``(N, C, H, W)``."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch.nn.functional as F
from torch import Tensor

__all__ = ["ADVERSARIAL_LOSSES", "AdversarialLoss", "DistillTarget", "distillation_loss", "distillation_teacher"]

DistillTarget = Literal["next", "widest", "none"]


class AdversarialLoss(NamedTuple):
    """The two sides of a game: ``discriminator(real, fake)`` and ``generator(fake)``, each a mean over the batch."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`` (Lim and Ye 2017)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """``-E[log s(D(x))] - E[log(1 - s(D(G(z))))]`` with the sigmoid s (Goodfellow et al. 2014, equation 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """``E[D(G(z))] - E[D(x)]`` (Arjovsky et al. 2017)."""
    return fake.mean() - real.mean()


def linear_generator(fake: Tensor) -> Tensor:
    """``-E[D(G(z))]``."""
    return -fake.mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """``-E[log s(D(G(z)))]`` (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def minimax_generator(fake: Tensor) -> Tensor:
    """``E[log(1 - s(D(G(z))))]``, the generator's side of equation 1 of Goodfellow et al. 2014.

    NOTE: code that calls the game "minimax" or "BCE" often gives the generator ``-log s(D(G(z)))`` instead, which is
    ``non-saturating`` here.
    """
    return -F.softplus(fake).mean()


ADVERSARIAL_LOSSES: dict[str, AdversarialLoss] = {
    "hinge": AdversarialLoss(hinge_discriminator, linear_generator),
    "non-saturating": AdversarialLoss(logistic_discriminator, non_saturating_generator),
    "minimax": AdversarialLoss(logistic_discriminator, minimax_generator),
    "wasserstein": AdversarialLoss(wasserstein_discriminator, linear_generator),
}


def distillation_teacher(student: int, num_widths: int, target: DistillTarget) -> int | None:
    """Return the position of the width that teaches width number ``student``, or None where nobody does.

    >>> [distillation_teacher(width, 4, "next") for width in range(4)]
    [1, 2, 3, None]
    """
    if target == "none" or student == num_widths - 1:
        return None
    return student + 1 if target == "next" else num_widths - 1


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared error of a width's images to its teacher's, which gets no gradient (Hou et al. 2021)."""
    return F.mse_loss(student, teacher.detach())
