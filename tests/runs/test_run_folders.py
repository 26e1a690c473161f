"""Folders of runs."""

import shutil
from pathlib import Path

import pytest
from commands import TINY, fails, run
from filelock import FileLock

from slimgan_pl.runs.folder import RunFolder
from slimgan_pl.runs.resume import find_newest_run, lock_run


def test_a_run_that_is_being_trained_is_closed_to_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    run("fit", "--config", "tiny.yaml", "--model.evaluator", "null")
    left = {path: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()}
    with FileLock("runs/version_0/.lock"):
        status, line = fails(capsys, "fit", "--config", "tiny.yaml", "--ckpt_path", "last", "--trainer.max_steps", 5)
    assert status == 1
    assert "another process trains in runs/version_0; wait for its end" in line
    Path("runs/version_0/.lock").unlink()
    assert {path: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()} == left


def test_the_folder_of_a_run_that_never_began_is_taken_away(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "version_0"
    with lock_run(RunFolder(folder)):
        assert folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_the_newest_run_is_that_of_the_highest_number_with_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    run("fit", "--config", "tiny.yaml", "--model.evaluator", "null")
    root = Path("runs")
    for name in ("version_9", "version_10", "version_11"):
        shutil.copytree(root / "version_0", root / name)
    (root / "version_11" / "checkpoints" / "last.ckpt").unlink()
    (root / "version_x").mkdir()
    found = find_newest_run(root)
    assert found is not None
    assert (found.folder.version, found.iteration) == (10, 3)
    assert find_newest_run(root / "version_x") is None
