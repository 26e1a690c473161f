"""What training has cost is counted right and carried along."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lightning.pytorch import Trainer

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import TrainingCost
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator

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
    draw = stem + up + image
    judge = first + rest
    discriminator_update = draw + 2 * (judge + first + 2 * rest)  # the images need no gradient
    generator_update = (draw + stem + 2 * (up + image)) + (judge + judge)  # a frozen bank, to the images
    assert cost.figures is not None
    assert cost.figures["macs"] == 3 * BATCH_SIZE * (discriminator_update + generator_update)
    assert cost.figures["iterations"] == 3
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
    assert first.figures is not None
    assert second.figures is not None
    assert second.figures["iterations"] == 5
    assert second.figures["macs"] == first.figures["macs"] * (1 + 3), "two iterations, then three of twice the batch"
    assert second.seconds > first.seconds


def test_without_training_there_is_no_cost() -> None:
    assert TrainingCost().figures is None
