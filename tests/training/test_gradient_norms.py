"""Norms of gradients are those of each width's own losses, and measuring them changes nothing."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Trainer
from lightning.pytorch.loggers.logger import DummyLogger
from one_batch import OneBatch
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl import SlimGAN
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, Objective
from slimgan_pl.training.updates import Metrics, Updates
from slimgan_pl.utils.torch_state import frozen

WIDTHS = (0.25, 0.5, 1.0)

WEIGHT = 20.0

BATCH_SIZE = 8


def make_updates(share_head: bool = False, shared_latents: bool = False) -> Updates:
    torch.manual_seed(0)
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=WIDTHS)
    bank = DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=3, num_shared=1, share_head=share_head)
    for net in (generator, bank):
        net.double()
    return Updates(generator, bank, Objective(ADVERSARIAL_LOSSES["hinge"], "next", WEIGHT, shared_latents))


def one_iteration(updates: Updates) -> tuple[Metrics, Metrics, list[Tensor | None]]:
    """Return the metrics of both updates, and all gradients."""
    random = torch.Generator().manual_seed(1)
    real = torch.rand(BATCH_SIZE, 1, 8, 8, generator=random, dtype=torch.float64)
    latents = torch.randn(4, BATCH_SIZE, 8, generator=random, dtype=torch.float64)
    shared = updates.objective.shared_latents
    inputs = {index: Inputs(latents[0 if shared else index]) for index in range(3)}
    first, fakes = updates.train_discriminators(real, None, inputs, keep=updates.keeps_fakes)
    second = updates.train_generator(inputs, None if shared else Inputs(latents[3]), fakes=fakes)
    return first, second, [p.grad for net in (updates.generator, updates.bank) for p in net.parameters()]


@pytest.mark.parametrize("shared_latents", [False, True])
def test_a_width_s_norm_is_that_of_the_gradient_of_its_own_losses(shared_latents: bool) -> None:
    updates = make_updates(shared_latents=shared_latents)
    updates.measures_gradients = True
    updates.bank.eval()  # no power iteration between the update and this
    norms = one_iteration(updates)[1]["generator_gradient_norm"]
    generator = updates.generator
    random = torch.Generator().manual_seed(1)
    torch.rand(BATCH_SIZE, 1, 8, 8, generator=random, dtype=torch.float64)
    latents = torch.randn(4, BATCH_SIZE, 8, generator=random, dtype=torch.float64)
    distilled = latents[0] if shared_latents else latents[3]
    with parametrize.cached(), frozen(updates.bank):
        for index, width in enumerate(WIDTHS):
            fakes = generator(latents[0 if shared_latents else index], width=width)
            loss = -updates.bank(fakes, branch=index).mean()
            if width < 1:
                teacher = generator(distilled, width=WIDTHS[index + 1]).detach()
                loss = loss + WEIGHT / 2 * F.mse_loss(generator(distilled, width=width), teacher)
            gradients = torch.autograd.grad(loss, list(generator.parameters()), allow_unused=True)
            norm = torch.stack([gradient.square().sum() for gradient in gradients if gradient is not None]).sum().sqrt()
            torch.testing.assert_close(norms[index], norm)


def test_a_discriminator_that_is_alone_has_its_head_to_itself() -> None:
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(1.0,)).double()
    bank = DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=1).double()
    updates = Updates(generator, bank, Objective(ADVERSARIAL_LOSSES["hinge"], "none", 0.0, False))
    updates.measures_gradients = True
    inputs = {0: Inputs(torch.randn(BATCH_SIZE, 8, dtype=torch.float64))}
    metrics, _ = updates.train_discriminators(torch.rand(BATCH_SIZE, 1, 8, 8).double(), None, inputs)
    squares = [p.grad.square().sum() for p in bank.parameters() if p.grad is not None]
    torch.testing.assert_close(metrics["discriminator_gradient_norm"], {0: torch.stack(squares).sum().sqrt()})


@pytest.mark.parametrize("share_head", [False, True])
def test_a_discriminator_s_norm_is_that_of_its_own_layers(share_head: bool) -> None:
    updates = make_updates(share_head)
    updates.measures_gradients = True
    norms = one_iteration(updates)[0]["discriminator_gradient_norm"]
    for index, branch in enumerate(updates.bank.branches):
        own = [*branch.parameters(), *(() if share_head else updates.bank.heads[index].parameters())]
        squares = [p.grad.square().sum() for p in own if p.grad is not None]
        assert len(squares) == len(own)
        torch.testing.assert_close(norms[index], torch.stack(squares).sum().sqrt())


@pytest.mark.parametrize("shared_latents", [False, True])
def test_measuring_changes_no_gradient_and_no_metric(shared_latents: bool) -> None:
    plain, measured = make_updates(shared_latents=shared_latents), make_updates(shared_latents=shared_latents)
    measured.measures_gradients = True
    first, then, gradients = one_iteration(plain)
    measured_first, measured_then, same = one_iteration(measured)
    torch.testing.assert_close(gradients, same, rtol=0, atol=0)
    for without, metrics in ((first, measured_first), (then, measured_then)):
        assert len(metrics) == len(without) + 1
        assert all(without[name] == metrics[name] for name in without)


class Remembering(DummyLogger):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, set[str]] = {}

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        assert step is not None
        self.rows[step] = set(metrics)


@pytest.mark.parametrize(
    ("settings", "precision", "are_there"),
    [({}, "32-true", True), ({"micro_batches": 2}, "32-true", False), ({}, "16-mixed", False)],
    ids=["plain", "micro-batches have their own", "16-mixed scales them"],
)
def test_norms_are_logged_per_width_where_they_are_what_they_seem(
    settings: dict[str, Any],
    precision: str,
    are_there: bool,
    make_model: Callable[..., SlimGAN],
    make_trainer: Callable[..., Trainer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger = Remembering()
    trainer = make_trainer(max_steps=4, log_every_n_steps=2, logger=logger)
    measured: list[bool] = []
    discriminators = Updates.train_discriminators

    def watching(self: Updates, *args: Any, **kwargs: Any) -> Any:
        measured.append(self.measures_gradients)
        return discriminators(self, *args, **kwargs)

    monkeypatch.setattr(Updates, "train_discriminators", watching)
    monkeypatch.setattr(Trainer, "precision", property(lambda _: precision))
    trainer.fit(make_model(**settings), OneBatch(torch.rand(4, 1, 8, 8)))
    assert set(logger.rows) == {2, 4}
    assert measured == ([False, True] * 2 if are_there else [False] * 4)
    names = {f"{net}_gradient_norm/{width:g}" for net in ("generator", "discriminator") for width in WIDTHS}
    assert all(names <= row if are_there else not names & row for row in logger.rows.values())
