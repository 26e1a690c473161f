"""Recalibration measures each width's batch-norm statistics over batches of latents, and touches nothing else."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from slimgan_pl import SlimGANError
from slimgan_pl.layers import SwitchableBatchNorm2d
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, StagedGenerator, recalibrate

WIDTHS = (0.25, 0.5, 1.0)
EPS = nn.BatchNorm2d(1).eps


def nets() -> list[StagedGenerator]:
    return [
        DCGANGenerator((8, 8, 4), latent_dim=8, widths=WIDTHS),
        ResNetGenerator((8, 8), latent_dim=8, widths=WIDTHS, num_classes=3),
        ResNetGenerator((8, 8), latent_dim=8, widths=WIDTHS, num_classes=3, conditional_norm="switchable"),
    ]


def seen_by(norm: nn.BatchNorm2d, seen: list[Tensor]) -> None:
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().double()))


@pytest.mark.parametrize("net", nets(), ids=lambda net: f"{type(net).__name__}-{net.conditional_norm}")
def test_statistics_are_the_means_over_batches_of_what_each_norm_sees(net: StagedGenerator) -> None:
    norms = [norm for norm in net.modules() if isinstance(norm, nn.BatchNorm2d)]
    seen: list[list[Tensor]] = [[] for _ in norms]
    for norm, inputs in zip(norms, seen, strict=True):
        seen_by(norm, inputs)
    net.train()
    recalibrate(net, num_batches=5, batch_size=6)
    for norm, inputs in zip(norms, seen, strict=True):
        batches = [batch.transpose(0, 1).flatten(1) for batch in inputs if len(batch) == 6]
        assert len(batches) == 5
        mean, variance = (norm.get_buffer(name).double() for name in ("running_mean", "running_var"))
        torch.testing.assert_close(mean, torch.stack([batch.mean(1) for batch in batches]).mean(0))
        torch.testing.assert_close(variance, torch.stack([batch.var(1) for batch in batches]).mean(0))


@pytest.mark.parametrize("training", [True, False])
def test_weights_mode_momenta_and_random_states_stay(training: bool) -> None:
    net = nets()[0].train(training)
    weights = copy.deepcopy(dict(net.named_parameters()))
    state = torch.get_rng_state()
    recalibrate(net, num_batches=2)
    assert all(torch.equal(weights[name], value) for name, value in net.named_parameters())
    assert all(module.training is training for module in net.modules())
    assert all(module.momentum == 0.1 for module in net.modules() if isinstance(module, nn.BatchNorm2d))
    assert torch.equal(state, torch.get_rng_state())


def test_a_second_time_changes_nothing() -> None:
    net = nets()[1]
    first = recalibrate(net, num_batches=3)
    statistics = copy.deepcopy(dict(net.named_buffers()))
    second = recalibrate(net, num_batches=3)
    assert all(torch.equal(statistics[name], value) for name, value in net.named_buffers())
    assert [change.width for change in first] == list(WIDTHS)
    assert all(min(change[1:]) > 0 for change in first)
    assert all(max(change[1:]) == 0 for change in second)


def test_the_report_says_how_far_the_old_statistics_were_off() -> None:
    net = nets()[0]
    recalibrate(net, num_batches=3)
    for switch in (module for module in net.modules() if isinstance(module, SwitchableBatchNorm2d)):
        mean, variance = (switch.norms[1].get_buffer(name) for name in ("running_mean", "running_var"))  # of width 0.5
        mean += 0.25 * (variance + EPS).sqrt()
        variance.copy_(1.5**2 * (variance + EPS) - EPS)
    changes = recalibrate(net, num_batches=3)
    assert changes[0][1:] == changes[2][1:] == (0.0, 0.0, 0.0)
    assert changes[1].mean == pytest.approx(0.25, rel=1e-4)
    assert changes[1].deviation == pytest.approx(0.5, rel=1e-4)


@torch.no_grad()
def test_where_a_statistic_is_not_finite_the_old_ones_stay() -> None:
    net = nets()[0]
    recalibrate(net, num_batches=2)
    net.stem.weight[0, 0] = torch.inf
    statistics = copy.deepcopy(dict(net.named_buffers()))
    with pytest.raises(SlimGANError, match="not finite, so the old ones stay"):
        recalibrate(net, num_batches=2)
    assert all(torch.equal(statistics[name], value) for name, value in net.named_buffers())


def test_an_interruption_leaves_everything_as_it_was() -> None:
    net = nets()[0].eval()
    recalibrate(net, num_batches=2)
    statistics = copy.deepcopy(dict(net.named_buffers()))

    def interrupt(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs[0]) == 6:
            raise KeyboardInterrupt

    net.image.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        recalibrate(net, num_batches=2, batch_size=6)
    assert all(torch.equal(statistics[name], value) for name, value in net.named_buffers())
    assert not any(module.training for module in net.modules())
    assert all(module.momentum == 0.1 for module in net.modules() if isinstance(module, nn.BatchNorm2d))


def test_a_generator_without_batch_norms_is_refused() -> None:
    with pytest.raises(SlimGANError, match="has no batch norms"):
        recalibrate(DCGANGenerator((8,), latent_dim=8, widths=WIDTHS))


@pytest.mark.parametrize("numbers", [{"num_batches": 0}, {"batch_size": 1}, {"seed": -1}])
def test_numbers_out_of_range_are_named(numbers: dict[str, Any]) -> None:
    (name,) = numbers
    with pytest.raises(SlimGANError, match=f"recalibration's {name} is {numbers[name]}; it has to be at least"):
        recalibrate(nets()[0], **numbers)


class Mapped(DCGANGenerator):
    """A generator with a plain batch norm of its latents, and a counter."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__((8, 8), latent_dim=8, widths=WIDTHS)
        self.norm = nn.BatchNorm1d(8)
        self.register_buffer("calls", torch.tensor(0))

    def forward(
        self, latents: Tensor, labels: Tensor | None = None, *, width: float = 1.0, noise: Any = None
    ) -> Tensor:
        self.calls.add_(int(self.training))
        return super().forward(self.norm(3 * latents + 2), labels, width=width)


def test_plain_batch_norms_are_measured_and_other_buffers_stay() -> None:
    net = Mapped()
    net.calls.fill_(5)
    changes = recalibrate(net, num_batches=20)
    torch.testing.assert_close(net.norm.running_mean, torch.full((8,), 2.0), atol=0.3, rtol=0)
    torch.testing.assert_close(net.norm.running_var, torch.full((8,), 9.0), atol=1.0, rtol=0)
    assert net.calls == 5
    assert [change.width for change in changes] == list(WIDTHS)
    assert min(change.mean for change in changes) > 0
