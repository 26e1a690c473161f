"""Checkpoints with batch-norm statistics measured anew, by command or as an option of training."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.cli.main import main
from slimgan_pl.cli.recalibrate import recalibrate_checkpoint
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator, SlimmableGenerator, recalibrate
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint
from slimgan_pl.training.ema import EMA


def tiny_model(**settings: Any) -> SlimGAN:
    generator = DCGANGenerator((8, 8, 4), latent_dim=8, image_channels=1)
    return SlimGAN(generator, DCGANDiscriminatorBank((4, 4, 4), image_channels=1), **settings)


def train(model: SlimGAN, make_trainer: Callable[..., Trainer], path: Path) -> str:
    trainer = make_trainer(max_steps=2)
    trainer.fit(model, DigitsDataModule(batch_size=8))
    trainer.save_checkpoint(path)
    return str(path)


def is_measured(net: SlimmableGenerator, num_batches: int) -> bool:
    return all(max(change[1:]) == 0 for change in recalibrate(net, num_batches))


def test_the_command_writes_a_checkpoint_that_differs_in_statistics_alone(
    make_trainer: Callable[..., Trainer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = train(tiny_model(), make_trainer, tmp_path / "last.ckpt")
    main(["recalibrate", "--ckpt_path", path, "--num_batches", "3"])
    assert "0.25" in capsys.readouterr().out
    old, new = read_checkpoint(path), read_checkpoint(tmp_path / "last.recalibrated.ckpt")
    changed = [key for key, value in old["state_dict"].items() if not torch.equal(value, new["state_dict"][key])]
    assert changed
    assert all("running_" in key or "num_batches_tracked" in key for key in changed)
    assert str(old["optimizer_states"]) == str(new["optimizer_states"])
    assert {key: old[key] for key in ("hyper_parameters", "loops")} == {
        key: new[key] for key in ("hyper_parameters", "loops")
    }
    assert is_measured(load_model(tmp_path / "last.recalibrated.ckpt").generator, 3)
    with pytest.raises(SlimGANError, match="already exists"):
        recalibrate_checkpoint(path)


def test_the_command_measures_averaged_and_raw_weights(
    make_trainer: Callable[..., Trainer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = train(tiny_model(ema=EMA(ramp_up=0.5)), make_trainer, tmp_path / "last.ckpt")
    recalibrate_checkpoint(path, num_batches=3)
    said = capsys.readouterr().out
    assert "statistics of averaged weights over 192 latents" in said
    assert "statistics of raw weights over 192 latents" in said
    model = load_model(tmp_path / "last.recalibrated.ckpt")
    nets = (model.averaged_generator, model.generator)
    assert all(net is not None and is_measured(net, 3) for net in nets)


def test_the_option_measures_before_a_save(make_trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    assert is_measured(load_model(train(tiny_model(recalibration=2), make_trainer, tmp_path / "a.ckpt")).generator, 2)
    assert not is_measured(load_model(train(tiny_model(), make_trainer, tmp_path / "b.ckpt")).generator, 2)


def test_the_option_measures_before_an_evaluation_and_the_results_say_so(
    make_trainer: Callable[..., Trainer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = train(tiny_model(), make_trainer, tmp_path / "last.ckpt")
    few = {"extractor": "digits", "num_real": 20, "num_fake": 20, "splits": 1}
    options = [f"--model.evaluator.{name}={value}" for name, value in few.items()]
    main(["test", "--ckpt_path", path, "--model.recalibration", "2", "--trainer.accelerator", "cpu", *options])
    recalibrate_checkpoint(path, num_batches=2)
    capsys.readouterr()
    measured = tmp_path / "last.recalibrated.ckpt"
    main(["test", "--ckpt_path", str(measured), "--trainer.accelerator", "cpu", *options])
    results = [read_json(tmp_path / name) for name in ("last.test.json", "last.recalibrated.test.json")]
    assert [result["recalibration"] for result in results] == [2, 0]
    assert results[0]["widths"] == results[1]["widths"]


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content
