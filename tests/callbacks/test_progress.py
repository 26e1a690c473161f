"""Progress is shown for training and for each pass over images, on a terminal and in a log."""

import sys
from collections.abc import Callable

import pytest
import torch
from lightning.pytorch import Trainer

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import IterationProgress, progress
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator


def evaluated_model() -> SlimGAN:
    generator = DCGANGenerator((8, 8, 4), latent_dim=8, image_channels=1)
    bank = DCGANDiscriminatorBank((4, 4, 4), image_channels=1)
    return SlimGAN(generator, bank, evaluator=Evaluator("digits", num_real=50, num_fake=30, batch_size=20, splits=1))


@pytest.mark.parametrize("terminal", [True, False])
def test_training_and_both_passes_of_an_evaluation_are_shown(
    terminal: bool,
    make_trainer: Callable[..., Trainer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.0)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("TTY_INTERACTIVE", raising=False)
    trainer = make_trainer(
        max_steps=2,
        limit_val_batches=1,
        val_check_interval=1,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        enable_progress_bar=True,
        callbacks=[IterationProgress()],
        use_distributed_sampler=False,
    )
    trainer.fit(evaluated_model(), DigitsDataModule(batch_size=8, cache_dir=str(trainer.default_root_dir)))
    said = capsys.readouterr().out
    if terminal:
        assert all(name in said for name in ("Training", "Real images", "Fakes"))
    else:
        assert "Iteration 2/2" in said
        assert said.index("Real images: 50/50") < said.index("Fakes: 20/30") < said.index("Fakes: 30/30")


def test_a_pass_yields_every_batch_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    batches = list(torch.arange(10).split(4))
    yielded = list(IterationProgress().track(batches, "Fakes"))
    assert all(torch.equal(first, second) for first, second in zip(batches, yielded, strict=True))
    assert capsys.readouterr().out == ""
