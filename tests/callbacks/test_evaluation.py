"""Validation and test evaluate every width once, with the weights that callbacks put in place."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from one_batch import OneBatch

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.callbacks import Evaluation
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import Evaluator, GeneratorSource
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator

EVALUATED_TWICE: dict[str, Any] = {
    "max_steps": 2,
    "limit_val_batches": 1,
    "val_check_interval": 1,
    "check_val_every_n_epoch": None,
    "use_distributed_sampler": False,
}


class Counted(Evaluator):
    """Returns the mean of an image layer's weights in place of metrics, and counts its calls."""

    calls = 0

    def evaluate(self, fakes: Any, real: Any, progress: Any = None) -> dict[str, Any]:
        assert isinstance(fakes, GeneratorSource)
        self.calls += 1
        return {
            "widths": [{"width": 0.5, "fid": float(fakes.generator.get_parameter("image.weight").mean())}],
            "extractor": {"name": "inception"},
            "protocol": {},
        }


class Swapping(Callback):
    """Evaluates with weights of 3, and trains with others."""

    def __init__(self, first: str, last: str) -> None:
        setattr(self, first, self.swap)
        setattr(self, last, self.restore)

    def swap(self, trainer: Trainer, pl_module: Any) -> None:
        weight = pl_module.generator.image.weight
        self.kept = weight.detach().clone()
        weight.data.fill_(3.0)

    def restore(self, trainer: Trainer, pl_module: Any) -> None:
        pl_module.generator.image.weight.data.copy_(self.kept)


def make_evaluated() -> SlimGAN:
    generator = DCGANGenerator((8, 8, 4), latent_dim=8, image_channels=1, widths=(0.5, 1.0))
    bank = DCGANDiscriminatorBank((4, 4, 4), image_channels=1, num_branches=2)
    return SlimGAN(generator, bank, evaluator=Counted("digits"))


@pytest.mark.parametrize("given", [[], [Evaluation]])
def test_a_trainer_evaluates_once_with_and_without_the_callback(
    given: list[type[Callback]], make_trainer: Callable[..., Trainer]
) -> None:
    model = make_evaluated()
    assert isinstance(model.evaluator, Counted)
    trainer = make_trainer(callbacks=[callback() for callback in given], **EVALUATED_TWICE)
    data = DigitsDataModule(batch_size=8)
    trainer.fit(model, data)
    assert model.evaluator.calls == 2, "and none in the sanity check"
    assert model.results is not None
    assert model.results["iteration"] == 2
    assert trainer.callback_metrics["fid/0.5"] == pytest.approx(model.results["widths"][0]["fid"])
    trainer.test(model, datamodule=data, verbose=False)
    assert model.evaluator.calls == 3
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    assert sum(isinstance(callback, Evaluation) for callback in callbacks) == 1


@pytest.mark.parametrize(
    ("first", "last"),
    [("on_validation_start", "on_validation_end"), ("on_validation_epoch_start", "on_validation_epoch_end")],
)
def test_weights_that_a_callback_swaps_in_are_evaluated(
    first: str, last: str, make_trainer: Callable[..., Trainer]
) -> None:
    model = make_evaluated()
    make_trainer(callbacks=[Swapping(first, last)], **EVALUATED_TWICE).fit(model, DigitsDataModule(batch_size=8))
    assert model.results is not None
    assert model.results["widths"][0]["fid"] == pytest.approx(3.0)
    assert float(model.generator.get_parameter("image.weight").detach().abs().max()) < 3


def test_real_images_that_are_no_byte_array_are_refused(make_trainer: Callable[..., Trainer]) -> None:
    class Batches(OneBatch):
        def test_dataloader(self) -> Any:
            return self.train_dataloader()

    with pytest.raises(SlimGANError, match="takes the real images as a ByteArray"):
        make_trainer().test(make_evaluated(), Batches(torch.zeros(4, 1, 16, 16)))


def test_a_model_without_evaluator_is_not_evaluated(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    model: LightningModule = make_model()

    class Batches(OneBatch):
        def test_dataloader(self) -> Any:
            return self.train_dataloader()

    make_trainer().test(model, Batches(torch.zeros(4, 1, 8, 8)), verbose=False)
    assert isinstance(model, SlimGAN)
    assert model.results is None
