"""Any widths may take part in an update, and each gets its own gradients and metrics."""

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    ResNetDiscriminatorBank,
    ResNetGenerator,
    SlimmableGenerator,
)
from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.iteration_inputs import sample_batches
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, DistillTarget, Objective
from slimgan_pl.training.updates import Metrics, Updates

WIDTHS = (0.25, 0.5, 0.75, 1.0)

WEIGHT = 20.0

BATCH_SIZE = 6

SUBSETS = [(0,), (3,), (0, 2), (1, 3), (0, 1, 3), (0, 1, 2, 3)]

Gradients = list[Tensor | None]


def make_updates(
    conditional: bool = False, target: DistillTarget = "next", shared: bool = False, **settings: Any
) -> Updates:
    torch.manual_seed(0)
    generator: SlimmableGenerator
    bank: DiscriminatorBank
    if conditional:
        generator = ResNetGenerator((8, 8), latent_dim=8, image_channels=1, widths=WIDTHS, num_classes=3)
        bank = ResNetDiscriminatorBank((4, 8), 1, image_channels=1, num_branches=4, num_shared=1, num_classes=3)
    else:
        generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=WIDTHS)
        bank = DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=4, num_shared=1)
    objective = Objective(ADVERSARIAL_LOSSES["hinge"], target, WEIGHT, shared)
    return Updates(generator.double(), bank.double(), objective, **settings)


def make_inputs(
    updates: Updates, widths: Sequence[int]
) -> tuple[Tensor, Tensor | None, dict[int, Inputs], Inputs | None]:
    """Return real images, their labels, inputs by width and those for distillation."""
    source = torch.Generator().manual_seed(1)
    net = updates.generator
    real = torch.rand(BATCH_SIZE, 1, 8, 8, generator=source, dtype=torch.float64) * 2 - 1
    labels = torch.randint(3, (BATCH_SIZE,), generator=source) if net.num_classes else None
    *own, distilled = sample_batches(net, len(widths) + 1, BATCH_SIZE, source)
    if updates.objective.shared_latents:
        return real, labels, dict.fromkeys(widths, distilled), None
    return real, labels, dict(zip(widths, own, strict=True)), distilled


def gradients_of(net: torch.nn.Module) -> Gradients:
    return [parameter.grad for parameter in net.parameters()]


def assert_equal(gradients: Gradients, expected: Gradients) -> None:
    for gradient, other in zip(gradients, expected, strict=True):
        zero = torch.zeros(())
        torch.testing.assert_close(
            zero if gradient is None else gradient.norm(), zero if other is None else other.norm(), check_dtype=False
        )
        if gradient is not None and other is not None:
            assert torch.allclose(gradient, other, rtol=1e-9, atol=1e-12)


def naive_discriminators(updates: Updates, widths: Sequence[int]) -> tuple[Gradients, dict[int, Tensor]]:
    """Return the gradients of the bank by a loop over widths, and the loss of each."""
    real, labels, inputs, _ = make_inputs(updates, widths)
    losses = {}
    with parametrize.cached():
        for index in widths:
            fake = updates.generator(*inputs[index], width=WIDTHS[index]).detach()
            real_logits = updates.bank(real, labels, branch=index)
            fake_logits = updates.bank(fake, inputs[index].labels, branch=index)
            losses[index] = torch.clamp(1 - real_logits, min=0).mean() + torch.clamp(1 + fake_logits, min=0).mean()
        total = torch.stack(list(losses.values())).sum()
        return list(torch.autograd.grad(total, list(updates.bank.parameters()), allow_unused=True)), losses


def naive_generator(updates: Updates, widths: Sequence[int]) -> tuple[Gradients, Metrics]:
    """Return the gradients of the generator by a loop over widths, and its metrics."""
    _, _, inputs, distilled = make_inputs(updates, widths)
    net, target = updates.generator, updates.objective.distill_target
    with parametrize.cached():
        images = {index: net(*inputs[index], width=WIDTHS[index]) for index in widths}
        losses = {index: -updates.bank(images[index], inputs[index].labels, branch=index).mean() for index in widths}
        outputs = images if distilled is None else {index: net(*distilled, width=WIDTHS[index]) for index in widths}
        teachers = widths[1:] if target == "next" else [widths[-1]] * (len(widths) - 1)
        distances = {
            student: F.mse_loss(outputs[student], outputs[teacher].detach())
            for student, teacher in zip(widths[:-1], teachers, strict=True)
        }
        total = torch.stack(list(losses.values())).sum()
        for distance in distances.values():
            total = total + WEIGHT / len(distances) * distance
        metrics = {"generator_loss": losses} | ({"distillation_loss": distances} if distances else {})
        return list(torch.autograd.grad(total, list(net.parameters()), allow_unused=True)), metrics


@pytest.mark.parametrize("widths", SUBSETS, ids=str)
@pytest.mark.parametrize("free_graphs", [False, True])
@pytest.mark.parametrize("conditional", [False, True])
def test_discriminators_of_a_subset_get_the_gradients_of_a_naive_loop_over_it(
    widths: tuple[int, ...], free_graphs: bool, conditional: bool
) -> None:
    updates = make_updates(conditional, free_graphs=free_graphs)
    expected, losses = naive_discriminators(copy.deepcopy(updates), widths)
    real, labels, inputs, _ = make_inputs(updates, widths)
    metrics, fakes = updates.train_discriminators(real, labels, inputs)
    assert_equal(gradients_of(updates.bank), expected)
    assert fakes == {}
    assert {name: tuple(by_width) for name, by_width in metrics.items()} == dict.fromkeys(
        ("discriminator_loss", "real_logits", "fake_logits", "real_sign"), widths
    )
    for index, loss in losses.items():
        torch.testing.assert_close(metrics["discriminator_loss"][index], loss.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("widths", SUBSETS, ids=str)
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("target", ["next", "widest"])
def test_a_generator_at_a_subset_gets_the_gradients_of_a_naive_loop_over_it(
    widths: tuple[int, ...], shared: bool, target: DistillTarget
) -> None:
    updates = make_updates(target=target, shared=shared)
    expected, named = naive_generator(copy.deepcopy(updates), widths)
    _, _, inputs, distilled = make_inputs(updates, widths)
    metrics = updates.train_generator(inputs, distilled)
    assert_equal(gradients_of(updates.generator), expected)
    assert list(metrics) == list(named)
    for name, by_width in named.items():
        assert list(metrics[name]) == list(by_width)
        for index, value in by_width.items():
            torch.testing.assert_close(metrics[name][index], value.detach(), rtol=1e-9, atol=1e-12)


def test_norms_of_gradients_are_those_of_the_widths_that_take_part() -> None:
    updates = make_updates()
    updates.measures_gradients = True
    real, labels, inputs, distilled = make_inputs(updates, (1, 3))
    metrics, _ = updates.train_discriminators(real, labels, inputs)
    metrics |= updates.train_generator(inputs, distilled)
    assert tuple(metrics["discriminator_gradient_norm"]) == (1, 3)
    assert tuple(metrics["generator_gradient_norm"]) == (1, 3)
    assert all(value > 0 for value in metrics["discriminator_gradient_norm"].values())


def test_metrics_of_micro_batches_are_their_mean_by_width() -> None:
    whole, halves = make_updates(), make_updates(micro_batches=2)
    for updates in (whole, halves):
        updates.generator.eval()  # batch norm has no statistics of a part
    results = []
    for updates in (whole, halves):
        real, labels, inputs, distilled = make_inputs(updates, (0, 2))
        results.append(
            updates.train_discriminators(real, labels, inputs)[0] | updates.train_generator(inputs, distilled)
        )
    torch.testing.assert_close(results[0], results[1])
    assert_equal(gradients_of(whole.generator), gradients_of(halves.generator))


def test_batches_that_are_sampled_at_once_have_the_numbers_of_one_tensor() -> None:
    net = make_updates(conditional=True).generator
    batches = sample_batches(net, 3, BATCH_SIZE, torch.Generator().manual_seed(2))
    source = torch.Generator().manual_seed(2)
    whole = net.draw_inputs(3 * BATCH_SIZE, source)
    assert whole.labels is not None
    for number, batch in enumerate(batches):
        assert torch.equal(batch.latents, whole.latents.view(3, BATCH_SIZE, 8)[number])
        assert batch.labels is not None
        assert torch.equal(batch.labels, whole.labels.view(3, BATCH_SIZE)[number])
