"""Losses of logits ``(N, 1)`` and images ``(N, C, H, W)``."""

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "ADVERSARIAL_LOSSES",
    "AdversarialLoss",
    "DistillTarget",
    "LossName",
    "Objective",
    "distillation_loss",
    "distillation_teacher",
    "find_teachers",
]

LossName = Literal["hinge", "non-saturating", "minimax", "wasserstein", "relativistic"]

DistillTarget = Literal["next", "widest", "none"]


class AdversarialLoss(NamedTuple):
    """Losses ``discriminator(real, fake)`` and ``generator(fake)``, means over the batch.

    Attributes:
        discriminator: Loss of the discriminator.
        generator: Loss of the generator; a relativistic one is ``generator(fake, real)``.
        is_relativistic: Whether it compares fake ``i`` with real image ``i``. Their labels are then the same.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    is_relativistic: bool = False

    def real_sign(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the mean sign of the real logits.

        Those of a relativistic loss are relative to the fake ones. It is 0 where the discriminator cannot tell, and
        near 1 where it overfits (Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data",
        equation 1).
        """
        return (real - fake if self.is_relativistic else real).sign().mean()


@dataclasses.dataclass(frozen=True)
class Objective:
    """Losses that training minimises.

    Args:
        loss: The adversarial loss of both sides.
        distill_target: Width that teaches a narrower one.
        distill_weight: Weight of the distillation loss.
        shared_latents: Whether one batch of latents serves all widths and both losses.
        centering: Weight of ``E[(D(x) + D(G(z)))^2]`` in the discriminator's loss, which holds its logits near 0
            (Lin et al. 2025, "Adversarial Flow Models").
    """

    loss: AdversarialLoss
    distill_target: DistillTarget
    distill_weight: float
    shared_latents: bool
    centering: float = 0.0

    def real_batches(self, critic_steps: int, num_classes: int) -> int:
        """Return how many batches of real images an iteration takes.

        Each discriminator update takes one, and the generator update of a relativistic loss another: the
        discriminators have just learned to tell those of the last one from its fakes. Shared fakes of a conditional net
        are compared with those all the same, whose labels they have.
        """
        has_labels = self.shared_latents and num_classes > 0
        return critic_steps + (self.loss.is_relativistic and not has_labels)

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the adversarial loss of one discriminator, and its centering."""
        loss = self.loss.discriminator(real, fake)
        return loss + self.centering * (real + fake).square().mean() if self.centering else loss

    def _replace(self, **changes: Any) -> "Objective":
        """Return a changed copy; deprecated, use ``dataclasses.replace`` with ``loss``."""
        warnings.warn("use dataclasses.replace(objective, loss=...)", DeprecationWarning, stacklevel=2)
        return dataclasses.replace(self, **{"loss" if name == "game" else name: changes[name] for name in changes})


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """``E[relu(1 - D(x))] + E[relu(1 + D(G(z)))]`` (Lim and Ye 2017)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """``-E[log s(D(x))] - E[log(1 - s(D(G(z))))]`` (Goodfellow et al. 2014, equation 1).

    ``s`` is the sigmoid.
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """``E[D(G(z))] - E[D(x)]`` (Arjovsky et al. 2017)."""
    return fake.mean() - real.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """``E[softplus(D(G(z)) - D(x))]`` over pairs (Jolicoeur-Martineau 2019, RpGAN)."""
    return F.softplus(fake - real).mean()


def relativistic_generator(fake: Tensor, real: Tensor) -> Tensor:
    """``E[softplus(D(x) - D(G(z)))]`` over pairs (Jolicoeur-Martineau 2019, RpGAN)."""
    return F.softplus(real - fake).mean()


def linear_generator(fake: Tensor) -> Tensor:
    """``-E[D(G(z))]``."""
    return -fake.mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """``-E[log s(D(G(z)))]`` with the sigmoid s (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def minimax_generator(fake: Tensor) -> Tensor:
    """``E[log(1 - s(D(G(z))))]`` (Goodfellow et al. 2014, equation 1).

    ``s`` is the sigmoid. NOTE: code that calls the loss "minimax" or "BCE" often gives the generator
    ``-log s(D(G(z)))`` instead, which is ``non-saturating`` here.
    """
    return -F.softplus(fake).mean()


ADVERSARIAL_LOSSES: dict[str, AdversarialLoss] = {
    "hinge": AdversarialLoss(hinge_discriminator, linear_generator),
    "non-saturating": AdversarialLoss(logistic_discriminator, non_saturating_generator),
    "minimax": AdversarialLoss(logistic_discriminator, minimax_generator),
    "wasserstein": AdversarialLoss(wasserstein_discriminator, linear_generator),
    "relativistic": AdversarialLoss(relativistic_discriminator, relativistic_generator, is_relativistic=True),
}


def distillation_teacher(student: int, num_widths: int, target: DistillTarget) -> int | None:
    """Return the position of a width's teacher, or None without one.

    >>> [distillation_teacher(width, 4, "next") for width in range(4)]
    [1, 2, 3, None]
    """
    if target == "none" or student == num_widths - 1:
        return None
    return student + 1 if target == "next" else num_widths - 1


def find_teachers(indices: Sequence[int], target: DistillTarget) -> dict[int, int]:
    """Return each width's teacher among ascending widths that take part.

    >>> find_teachers([0, 2, 3], "next"), find_teachers([0, 2, 3], "widest")
    ({0: 2, 2: 3}, {0: 3, 2: 3})
    """
    teachers = {index: distillation_teacher(position, len(indices), target) for position, index in enumerate(indices)}
    return {index: indices[teacher] for index, teacher in teachers.items() if teacher is not None}


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared error; the teacher gets no gradient (Hou et al. 2021)."""
    return F.mse_loss(student, teacher.detach())
