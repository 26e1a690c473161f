"""Evaluations of averaged and of raw weights are kept apart, from the command to the page."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import TINY, run
from sharing import fill_once

from slimgan_pl.report.reading import read_run


@pytest.fixture(scope="module")
def evaluated(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run with averaged weights whose raw ones were evaluated after it; it is only read."""

    def fit(folder: Path) -> None:
        (folder / "tiny.yaml").write_text(TINY)
        often = ("--trainer.max_steps", 4, "--trainer.val_check_interval", 2, "--trainer.log_every_n_steps", 1)
        where = ("--trainer.default_root_dir", folder / "runs", "--model.ema.ramp_up", 0.05)
        run("fit", "--config", folder / "tiny.yaml", *often, *where)

    return fill_once(tmp_path_factory, "averaged", fit) / "runs" / "version_0"


@pytest.fixture
def folder(evaluated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that run, in the working directory."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(evaluated, tmp_path / "run"))


def fid(path: Path) -> float:
    value: float = json.loads(path.read_text())["widths"][-1]["fid_digits"]
    return value


def test_raw_weights_have_files_of_their_own_and_change_no_comparison_and_no_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("compare", "run")
    before, at_end = capsys.readouterr().out, read_run(folder, "x").results
    assert at_end is not None
    run("test", "--ckpt_path", "run", "--weights", "raw", "--trainer.accelerator", "cpu")
    said = " ".join(capsys.readouterr().out.split())
    assert "of raw weights" in said
    assert "change since" not in said, "the evaluations before are of averaged weights"
    checkpoints = folder / "checkpoints"
    assert {path.name for path in checkpoints.iterdir()} == {"last.ckpt", "last.raw.test.json", "last.raw.test.png"}
    results = json.loads((checkpoints / "last.raw.test.json").read_text())
    assert (results["weights"], results["has_average"]) == ("raw", True)
    assert fid(checkpoints / "last.raw.test.json") != fid(folder / "results.json")

    run("compare", "run")
    assert capsys.readouterr().out == before
    run("compare", "run/results.json", "run/checkpoints/last.raw.test.json")
    assert "last.raw.test.json (raw weights)" in capsys.readouterr().out
    averaged, raw = read_run(folder, "x"), read_run(folder, "x", "raw")
    assert averaged.results == at_end
    assert [(each.iteration, each.weights) for each in averaged.history] == [(2, "averaged"), (4, "averaged")]
    assert [(each.iteration, each.weights) for each in raw.history] == [(4, "raw")]
    assert averaged.notes == raw.notes == []


def test_a_page_of_raw_weights_that_were_not_evaluated_says_how(folder: Path) -> None:
    found = read_run(folder, "x", "raw")
    assert found.results is None
    (note,) = found.notes
    assert note == (
        "No metrics: none are of raw weights; slimgan test --ckpt_path run/checkpoints/last.ckpt --weights raw makes "
        "some."
    )


def test_without_an_average_raw_weights_are_the_runs(tmp_path: Path, two_runs: Path) -> None:
    root: Any = shutil.copytree(two_runs / "digits" / "version_0", tmp_path / "run")
    run("test", "--ckpt_path", root, "--weights", "raw", "--trainer.accelerator", "cpu")
    assert (root / "checkpoints" / "last.test.json").is_file()
    assert read_run(root, "x", "raw").history == read_run(root, "x").history != []
