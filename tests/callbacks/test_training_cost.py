"""The cost of training is counted right and carried along, and its throughput leaves out evaluations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import TrainingCost
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.training.iteration import Iteration
from slimgan_pl.training.updates import Metrics

BATCH_SIZE = 4


@pytest.fixture
def tiny() -> SlimGAN:
    """Return a plain GAN of two stages for grey 16x16 images."""
    generator = DCGANGenerator((8, 4), bottom_size=8, latent_dim=6, image_channels=1, widths=(1.0,))
    bank = DCGANDiscriminatorBank((4, 8), bottom_size=8, image_channels=1, num_branches=1)
    return SlimGAN(generator, bank)


def test_the_cost_of_an_iteration_is_the_closed_form(tiny: SlimGAN, make_trainer: Callable[..., Trainer]) -> None:
    """A backward pass costs a layer once for its weights and once for its input, where each has a gradient."""
    cost = TrainingCost()
    make_trainer(max_steps=3, callbacks=[cost]).fit(tiny, DigitsDataModule(batch_size=BATCH_SIZE))
    stem, up, image = 6 * 8 * 64, 8 * 4 * 16 * 8 * 8, 4 * 1 * 9 * 256
    first, rest = 1 * 4 * 9 * 256, 4 * 4 * 16 * 64 + 4 * 8 * 9 * 64 + 8 * 64
    generate = stem + up + image
    discriminate = first + rest
    discriminator_update = generate + 2 * (discriminate + first + 2 * rest)  # the images need no gradient
    generator_update = (generate + stem + 2 * (up + image)) + 2 * discriminate  # a frozen bank, to the images
    assert cost.totals is not None
    assert cost.totals["macs"] == 3 * BATCH_SIZE * (discriminator_update + generator_update)
    assert cost.totals["iterations"] == 3
    assert cost.seconds > 0


def test_a_resumed_run_adds_to_the_cost_of_the_first(
    tiny: SlimGAN, make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    first, second = TrainingCost(), TrainingCost()
    data = DigitsDataModule(batch_size=BATCH_SIZE)
    trainer = make_trainer(max_steps=2, callbacks=[first])
    trainer.fit(tiny, data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    larger = DigitsDataModule(batch_size=2 * BATCH_SIZE)
    make_trainer(max_steps=5, callbacks=[second]).fit(tiny, larger, ckpt_path=tmp_path / "a.ckpt")
    assert first.totals is not None
    assert second.totals is not None
    assert second.totals["iterations"] == 5
    assert second.totals["macs"] == first.totals["macs"] * (1 + 3), "two iterations, then three of twice the batch"
    assert second.seconds > first.seconds


def test_without_training_there_is_no_cost() -> None:
    assert TrainingCost().totals is None


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


class Slow(Callback):
    """Iterations of 2 seconds, and evaluations of an hour whose callbacks take another."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rates: list[dict[str, float]] = []

    def on_before_optimizer_step(self, *_: Any) -> None:
        self.clock.now += 1.0  # twice an iteration

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, SlimGAN)
        self.rates.append(pl_module.measure_throughput())

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.clock.now += 3600.0

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.clock.now += 3600.0


def test_the_throughput_is_that_of_training_alone(
    tiny: SlimGAN, make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("slimgan_pl.training.throughput.time", clock)
    cost, slow = TrainingCost(), Slow(clock)
    trainer = make_trainer(
        max_steps=5,
        limit_val_batches=1,
        val_check_interval=2,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        callbacks=[cost, slow],
        use_distributed_sampler=False,
    )
    trainer.fit(tiny, DigitsDataModule(batch_size=BATCH_SIZE))
    first, *rest = slow.rates
    assert "iterations_per_second" not in first, "the first iteration is no measure"
    for number, rates in enumerate(rest, start=2):
        assert rates["iterations_per_second"] == pytest.approx(1 / 2)
        assert rates["images_per_second"] == pytest.approx(BATCH_SIZE / 2)
        assert rates["seconds_left"] == pytest.approx(2 * (5 - number))
        assert rates["epochs"] == pytest.approx(number / trainer.num_training_batches)
    assert cost.seconds == pytest.approx(5 * 2)


def test_the_throughput_is_that_of_the_last_hundred_iterations(
    tiny: SlimGAN, make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An iteration takes 9 seconds, and one from the 62nd on."""
    clock, numbers = Clock(), iter(range(1, 200))
    monkeypatch.setattr("slimgan_pl.training.throughput.time", clock)

    def step(self: Iteration, real: Tensor, *_: Any) -> Metrics:
        clock.now += 9.0 if next(numbers) < 62 else 1.0
        self.status = torch.zeros(4)
        return {"generator_loss": {0: torch.zeros(())}}

    monkeypatch.setattr(Iteration, "__call__", step)
    for iterations, rate in ((61, 1 / 9), (161, 1.0)):
        numbers = iter(range(1, 200))
        trainer = make_trainer(max_epochs=1, limit_train_batches=iterations)
        trainer.fit(tiny, DigitsDataModule(batch_size=BATCH_SIZE))
        assert tiny.measure_throughput()["iterations_per_second"] == pytest.approx(rate)
