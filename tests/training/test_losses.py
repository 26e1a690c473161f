"""Losses equal their closed forms."""

import math
from typing import get_args

import pytest
import torch

from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, LossName, Objective, distillation_loss, distillation_teacher

REAL, FAKE = torch.tensor([[2.0], [-0.5]]), torch.tensor([[-3.0], [0.5]])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


LOGISTIC = (
    -(math.log(sigmoid(2.0)) + math.log(sigmoid(-0.5))) / 2
    - (math.log(1 - sigmoid(-3.0)) + math.log(1 - sigmoid(0.5))) / 2
)


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("hinge", (0 + 1.5) / 2 + (0 + 1.5) / 2, 1.25),
        ("wasserstein", -1.25 - 0.75, 1.25),
        ("non-saturating", LOGISTIC, -(math.log(sigmoid(-3.0)) + math.log(sigmoid(0.5))) / 2),
        (
            "relativistic",
            -(math.log(sigmoid(2.0 + 3.0)) + math.log(sigmoid(-0.5 - 0.5))) / 2,
            -(math.log(sigmoid(-3.0 - 2.0)) + math.log(sigmoid(0.5 + 0.5))) / 2,
        ),
        ("minimax", LOGISTIC, (math.log(1 - sigmoid(-3.0)) + math.log(1 - sigmoid(0.5))) / 2),
    ],
)
def test_adversarial_losses_equal_their_closed_forms(name: str, discriminator: float, generator: float) -> None:
    loss = ADVERSARIAL_LOSSES[name]
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(discriminator, rel=1e-5)
    logits = (FAKE, REAL) if loss.is_relativistic else (FAKE,)
    assert loss.generator(*logits).item() == pytest.approx(generator, rel=1e-5)


@pytest.mark.parametrize("name", ["non-saturating", "minimax", "relativistic"])
def test_logistic_losses_stay_finite_at_extreme_logits(name: str) -> None:
    extreme = torch.tensor([[1e4], [-1e4]])
    loss = ADVERSARIAL_LOSSES[name]
    assert torch.isfinite(loss.discriminator(extreme, extreme))
    assert torch.isfinite(loss.generator(*(extreme, -extreme)[: 1 + loss.is_relativistic]))


def test_the_teacher_gets_no_gradient() -> None:
    student, teacher = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    distillation_loss(student, teacher).backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_the_widest_width_has_no_teacher() -> None:
    assert [distillation_teacher(i, 3, "next") for i in range(3)] == [1, 2, None]
    assert [distillation_teacher(i, 3, "widest") for i in range(3)] == [2, 2, None]
    assert [distillation_teacher(i, 3, "none") for i in range(3)] == [None, None, None]


def test_the_names_of_the_losses_are_those_of_the_table() -> None:
    assert get_args(LossName) == tuple(ADVERSARIAL_LOSSES)


def test_an_objective_still_takes_the_old_name_of_its_loss() -> None:
    objective = Objective(ADVERSARIAL_LOSSES["hinge"], "next", 20.0, False)
    with pytest.warns(DeprecationWarning, match=r"dataclasses\.replace"):
        changed = objective._replace(game=ADVERSARIAL_LOSSES["minimax"])
    assert changed.loss is ADVERSARIAL_LOSSES["minimax"]
    assert changed.distill_weight == 20.0
