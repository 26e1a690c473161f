"""Names of a run's files."""

import os
from pathlib import Path

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.folder import RunFolder, find_checkpoint


def leave(path: Path, modified: float = 1e9) -> Path:
    """Write an empty file with a time of modification and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (modified, modified))
    return path


def test_versions_come_by_their_numbers_and_not_by_their_names(tmp_path: Path) -> None:
    for name in ("version_2", "version_10", "version_x", "other"):
        (tmp_path / name).mkdir()
    assert [run.version for run in RunFolder.versions(tmp_path)] == [10, 2]


def test_the_newest_run_is_the_newest_folder_with_a_file_of_a_run(tmp_path: Path) -> None:
    assert RunFolder.newest(tmp_path) is None
    old, new = RunFolder(tmp_path / "version_2"), RunFolder(tmp_path / "version_10")
    leave(old.checkpoints / "iteration_000005.ckpt")
    leave(new.config)
    assert str(RunFolder.newest(tmp_path)) == str(old)
    leave(new.metrics)
    assert str(RunFolder.newest(tmp_path)) == str(new)


def test_files_of_iterations_come_in_order_and_strangers_are_left_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    paths = [leave(run.evaluation(iteration)) for iteration in (1_000_000, 300)]
    for name in ("iteration_x.json", "iteration_000300.txt", "notes.json"):
        leave(tmp_path / "results" / name)
    assert run.evaluations() == {300: paths[1], 1_000_000: paths[0]}
    assert run.sample_grids() == run.kept_checkpoints() == {}


def test_a_folder_stands_for_its_newest_checkpoint(tmp_path: Path) -> None:
    old, new = RunFolder(tmp_path / "version_2"), RunFolder(tmp_path / "version_10")
    with pytest.raises(SlimGANError, match="there is no checkpoint in"):
        find_checkpoint(tmp_path)
    last = leave(old.checkpoint)
    kept = [leave(new.checkpoints / f"iteration_{iteration:06d}.ckpt") for iteration in (5, 40)]
    assert find_checkpoint(tmp_path) == find_checkpoint(new.path) == find_checkpoint(new.checkpoints) == kept[1]
    assert find_checkpoint(old.path) == find_checkpoint(last) == last
    assert find_checkpoint(tmp_path / "nowhere.ckpt") == tmp_path / "nowhere.ckpt"
