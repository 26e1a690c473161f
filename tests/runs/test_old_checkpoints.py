"""Checkpoints of earlier versions: one that version 0.1.0 wrote lies beside the tests."""

import shutil
from pathlib import Path

import pytest
import torch
from commands import run

from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import DigitsClassifier, Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint
from slimgan_pl.utils.recipes import class_path

WRITTEN = Path(__file__).parents[1] / "assets" / "checkpoint_0.1.0.ckpt"

SAMPLES = ("every_n_iterations", "num_latents")  # given on its command line, and not on this one


@pytest.fixture
def last(tmp_path: Path) -> Path:
    """Return that checkpoint as the last one of a run."""
    path = tmp_path / "runs" / "version_0" / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    shutil.copy(WRITTEN, path)
    return path


def test_a_checkpoint_names_public_paths() -> None:
    kinds = [DCGANGenerator, DCGANDiscriminatorBank, DigitsDataModule, Evaluator, DigitsClassifier]
    assert [class_path(kind).count(".") for kind in kinds] == [2] * len(kinds)
    assert class_path(torch.nn.Linear) == "torch.nn.modules.linear.Linear"


def test_an_old_checkpoint_is_read_with_the_names_of_today() -> None:
    written = torch.load(WRITTEN, weights_only=True)
    read = read_checkpoint(WRITTEN)
    assert written["hyper_parameters"]["generator"]["class_path"] == "slimgan_pl.models.generators.DCGANGenerator"
    assert read["hyper_parameters"]["generator"]["class_path"] == "slimgan_pl.models.DCGANGenerator"
    assert read["datamodule_hyper_parameters"]["_class_path"] == "slimgan_pl.data.DigitsDataModule"
    weights = load_model(WRITTEN).state_dict()
    assert all(torch.equal(weights[name], value) for name, value in written["state_dict"].items())


def test_an_old_checkpoint_is_sampled_evaluated_and_exported(last: Path, tmp_path: Path) -> None:
    run("sample", "--ckpt_path", last, "--num_images", 4, "--output", tmp_path / "samples.png")
    run("test", "--ckpt_path", last)
    run("export", "--ckpt_path", last, "--format", "safetensors", "--output", tmp_path / "export")
    assert (tmp_path / "samples.png").is_file()
    assert last.with_name("last.test.json").is_file()
    assert list((tmp_path / "export").glob("*.safetensors"))


def test_an_old_run_is_resumed_in_its_folder_and_settings_that_it_did_not_have_have_not_changed(
    last: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = last.parents[2]
    run("fit", "--ckpt_path", "last", "--trainer.default_root_dir", root, "--trainer.max_steps", 5)
    changed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Changed since")]
    names = {line.split(": ")[1] for line in changed}
    assert {name for name in names if not name.startswith("trainer.")} == {f"samples.{name}" for name in SAMPLES}
    assert "not set" not in "".join(changed)
    resumed = read_checkpoint(last)
    assert resumed["global_step"] == 5
    assert resumed["hyper_parameters"]["generator"]["class_path"] == "slimgan_pl.models.DCGANGenerator"
