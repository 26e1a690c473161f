"""A program gets with one call what the command gets."""

from pathlib import Path

import pytest
import torch
from commands import TINY, run
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping

from slimgan_pl import SlimGAN, default_callbacks, default_trainer_arguments
from slimgan_pl.callbacks import IterationCheckpoint, SampleGrid
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import DigitsClassifier, Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator


def train_in_python() -> None:
    """Train what the tiny configuration trains."""
    generator = DCGANGenerator((8, 8, 8), latent_dim=8, image_channels=1)
    bank = DCGANDiscriminatorBank((4, 4, 4), image_channels=1)
    evaluator = Evaluator(DigitsClassifier(), num_fake=60, splits=2)
    model, data = SlimGAN(generator, bank, evaluator=evaluator), DigitsDataModule(batch_size=8)
    callbacks = default_callbacks(SampleGrid(every_n_iterations=2, num_latents=4))
    arguments = default_trainer_arguments(max_steps=3, accelerator="cpu")
    trainer = Trainer(callbacks=callbacks, **arguments)
    trainer.fit(model, data)
    trainer.test(model, data, verbose=False)


def files_in(folder: Path) -> set[str]:
    """Return the files of a run; those of events have the time in their names."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path).partition(".tfevents.")[0] for path in paths if not path.name.startswith(".")}


def test_a_run_in_python_leaves_and_prints_what_the_command_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    printed = {}
    for name in ("command", "python"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        torch.manual_seed(0)
        run("fit", "--config", tmp_path / "tiny.yaml") if name == "command" else train_in_python()
        printed[name] = capsys.readouterr().out.splitlines()
    files = {name: files_in(tmp_path / name / "runs" / "version_0") for name in printed}
    assert files["command"] - files["python"] == {"config.yaml"}  # a program is its own configuration
    assert files["python"] <= files["command"]
    closing = {name: lines[lines.index("Run: runs/version_0") :] for name, lines in printed.items()}
    assert [line for line in closing["command"] if not line.startswith("Configuration: ")] == closing["python"]
    assert "Next:" in closing["python"]
    assert "Picture: runs/version_0/samples.png" in closing["python"]
    plans = [[line for line in lines if line.startswith(("Data: ", "Nets: ", "Plan: "))] for lines in printed.values()]
    assert plans[0] == plans[1]
    assert len(plans[0]) == 3


def test_callbacks_of_the_user_stand_among_the_defaults_or_replace_them() -> None:
    names = [type(callback).__name__ for callback in default_callbacks()]
    grids, stopping, checkpoint = (
        [SampleGrid(7), SampleGrid(8)],
        EarlyStopping("generator_loss"),
        IterationCheckpoint(9),
    )
    callbacks = default_callbacks(stopping, *grids, checkpoint)
    own = [callbacks.index(stopping), callbacks.index(grids[1])]
    assert own == [1, 2]
    assert [type(each).__name__ for number, each in enumerate(callbacks) if number not in own] == names
    assert grids[0] in callbacks
    assert callbacks[-1] is checkpoint


def test_settings_replace_the_defaults_of_the_trainer() -> None:
    arguments = default_trainer_arguments("elsewhere", logger=False, val_check_interval=5)
    assert arguments["logger"] is False
    assert (arguments["default_root_dir"], arguments["val_check_interval"]) == ("elsewhere", 5)
    Trainer(**arguments)
