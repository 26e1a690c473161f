"""Names that callbacks monitor are those that are logged."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import run
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn

from slimgan_pl.evaluation import DigitsClassifier, Evaluator
from slimgan_pl.runs.checkpoints import load_model
from slimgan_pl.training.monitors import check_monitors, loss_names, metric_names, suggest_names
from slimgan_pl.training.slimgan import SlimGAN


def logged_names(folder: Path) -> set[str]:
    """Return the names that a finished run has written."""
    with (folder / "metrics.csv").open() as file:
        return set(next(csv.reader(file)))


def test_the_names_of_losses_and_metrics_are_those_that_a_run_logs(digits_checkpoint: Path) -> None:
    logged = logged_names(digits_checkpoint.parents[1])
    model = load_model(digits_checkpoint)
    model.evaluator = evaluator = Evaluator(DigitsClassifier(), num_fake=60, splits=2)
    extraction = evaluator.start(model.device, model.fakes().shape)
    named = {*loss_names(model), *metric_names(model, extraction)}
    others = {name for name in logged if name == "step" or name.startswith("pace/") or "_std" in name}
    assert named == logged - others


def test_without_class_logits_there_is_no_inception_score(make_model: Callable[..., SlimGAN]) -> None:
    class Pixels(nn.Module):
        name = "pixels"

        def forward(self, images: Tensor) -> Tensor:
            return images.float().mean(dim=(2, 3))

    evaluator = Evaluator(Pixels(), num_fake=60, metrics=("fid", "is"))
    model = make_model(evaluator=evaluator)
    extraction = evaluator.start(model.device, model.fakes().shape)
    assert metric_names(model, extraction) == ["fid_pixels/0.25", "fid_pixels/0.5", "fid_pixels/1"]


@pytest.mark.parametrize(("target", "count"), [("next", 2), ("none", 0)])
def test_only_widths_with_a_teacher_have_a_distillation_loss(
    target: str, count: int, make_model: Callable[..., SlimGAN]
) -> None:
    names = loss_names(make_model(distill_target=target))
    assert len([name for name in names if name.startswith("distillation_loss/")]) == count


def test_early_stopping_that_never_looks_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = ("--trainer.callbacks", "EarlyStopping", "--trainer.callbacks.monitor", "generator_loss")
    run("fit", "--config", config, "--model.evaluator", "null", *monitor)
    assert "give --trainer.val_check_interval to have some" in capsys.readouterr().err


@pytest.mark.parametrize("monitor", ["step", "epoch"])
def test_lightnings_own_names_are_known(monitor: str, make_model: Callable[..., SlimGAN]) -> None:
    check_monitors([ModelCheckpoint(monitor=monitor)], make_model(), None, 1, 5, 10)


def test_names_that_hold_the_word_come_first() -> None:
    assert suggest_names("loss", ["fid/0.5", "fid/1", "generator_loss"]) == ["generator_loss", "fid/0.5"]
