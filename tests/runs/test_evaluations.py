"""Evaluations of a run: those before, by the same protocol, and the checkpoint that they call the best."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import EvaluationResults
from slimgan_pl.runs.evaluations import evaluations_before, find_best_checkpoint, find_results
from slimgan_pl.runs.folder import RunFolder, name_checkpoint
from slimgan_pl.utils.files import file_sha256

NOW = {"iteration": 30, "protocol": {"num_fake": 10}, "extractor": {"name": "digits"}, "widths": [{"width": 1.0}]}


def write(folder: Path, iteration: int, **changes: Any) -> None:
    (folder / "results").mkdir(exist_ok=True)
    path = folder / "results" / f"iteration_{iteration:06d}.json"
    path.write_text(json.dumps({**NOW, "iteration": iteration, **changes}))


def iterations_before(folder: Path) -> list[int | None]:
    return [earlier.iteration for earlier in evaluations_before(folder, EvaluationResults.from_json(NOW))]


def test_they_come_in_order_and_without_later_ones(tmp_path: Path) -> None:
    for iteration in (20, 10, 30, 40):
        write(tmp_path, iteration)
    assert iterations_before(tmp_path) == [10, 20]


@pytest.mark.parametrize("changes", [{"protocol": {"num_fake": 20}}, {"extractor": {"name": "inception"}}])
def test_metrics_that_do_not_compare_are_left_out(changes: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, 10, **changes)
    assert evaluations_before(tmp_path, EvaluationResults.from_json(NOW)) == []


def test_evaluations_of_other_weights_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, 10)  # of a version without averages
    write(tmp_path, 15, weights="averaged")
    write(tmp_path, 20, weights="raw")
    assert iterations_before(tmp_path) == [10, 20]
    averaged = EvaluationResults.from_json({**NOW, "weights": "averaged"})
    assert [earlier.iteration for earlier in evaluations_before(tmp_path, averaged)] == [15]


@pytest.mark.parametrize("text", ["", "[1]", '{"iteration": "x"}', "\x00"])
def test_a_damaged_file_counts_as_missing(text: str, tmp_path: Path) -> None:
    write(tmp_path, 10)
    (tmp_path / "results" / "iteration_000020.json").write_text(text)
    assert iterations_before(tmp_path) == [10]


def test_before_images_of_no_iteration_there_is_nothing(tmp_path: Path) -> None:
    write(tmp_path, 10)
    assert evaluations_before(tmp_path, EvaluationResults.from_json({**NOW, "iteration": None})) == []


def keep(run: RunFolder, iteration: int, fids: list[float], **changes: Any) -> Path:
    """Write a checkpoint that stays and its evaluation, with a FID per width."""
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    path = run.checkpoints / name_checkpoint(iteration)
    path.write_bytes(bytes([iteration]))
    widths = [{"width": width, "fid_digits": fid} for width, fid in zip((0.5, 1.0), fids, strict=True)]
    write(run.path, iteration, widths=widths, **changes)
    return path


def test_the_best_checkpoint_has_the_least_mean_fid(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "version_3")
    with pytest.raises(SlimGANError, match="there is no best checkpoint"):
        find_best_checkpoint(tmp_path)
    keep(run, 10, [1.0, 9.0])
    best = keep(run, 20, [4.0, 5.0])
    keep(run, 30, [3.0, float("nan")])
    keep(run, 40, [5.0, 6.0])
    keep(run, 50, [0.0, 0.0], protocol={"num_fake": 2})
    keep(run, 60, [7.0, 7.0])
    (run.checkpoints / name_checkpoint(70)).touch()
    assert find_best_checkpoint(tmp_path) == find_best_checkpoint(run.path) == best


def test_without_a_fid_the_best_checkpoint_has_the_best_of_the_first_metric(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for iteration, score in ((10, 2.0), (20, 3.0), (30, 1.0)):
        keep(run, iteration, [9.0, 9.0])
        write(run.path, iteration, widths=[{"width": 1.0, "is_digits": score}])
    assert find_best_checkpoint(tmp_path).name == name_checkpoint(20)  # a high score is good


def test_the_last_checkpoint_is_the_best_where_the_results_are_of_it(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    kept = keep(run, 10, [3.0, 3.0])
    run.checkpoint.write_bytes(b"new")
    widths = [{"width": width, "fid_digits": 2.0} for width in (0.5, 1.0)]
    for sha256, best in ((file_sha256(run.checkpoint), run.checkpoint), ("of another", kept)):
        document = {**NOW, "widths": widths, "checkpoint": {"file": "last.ckpt", "sha256": sha256}}
        run.results.write_text(json.dumps(document))
        assert find_best_checkpoint(tmp_path) == best


def leave(path: Path, modified: float = 1e9, **changes: Any) -> Path:
    """Write results with a time of modification and return their path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**NOW, **changes}))
    os.utime(path, (modified, modified))
    return path


def test_results_are_those_that_were_written_last(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "version_3")
    assert find_results(tmp_path) == RunFolder(tmp_path).results
    leave(run.metrics)
    assert find_results(tmp_path) == run.results
    at_end = leave(run.results)
    assert find_results(tmp_path) == find_results(run.path) == find_results(at_end) == at_end
    again = leave(run.checkpoints / "last.test.json", modified=2e9)
    assert find_results(tmp_path) == again
    again.write_text("damaged")  # which is told where it is read
    assert find_results(tmp_path) == again


AVERAGED = {"weights": "averaged", "has_average": True}

SKIPPED = {"weights": "raw", "has_average": True}

ALONE = {"weights": "raw", "has_average": False}


@pytest.mark.parametrize(
    ("at_end", "tested", "raw_tested", "averaged", "raw"),
    [
        (AVERAGED, None, SKIPPED, "results.json", "last.raw.test.json"),
        (AVERAGED, AVERAGED, SKIPPED, "last.test.json", "last.raw.test.json"),
        (AVERAGED, {"weights": "raw"}, None, "results.json", "last.test.json"),
        (AVERAGED, None, None, "results.json", None),
        (None, None, SKIPPED, None, "last.raw.test.json"),
        (ALONE, ALONE, None, "last.test.json", "last.test.json"),
        ({}, {}, None, "last.test.json", "last.test.json"),
        ({}, AVERAGED, SKIPPED, "last.test.json", "last.raw.test.json"),
        (AVERAGED, ALONE, None, "last.test.json", "last.test.json"),
    ],
    ids=[
        *("raw ones", "both again", "raw ones of before their own file", "averaged ones alone", "raw ones alone"),
        *("no average", "version 0.1.0", "an average that begins", "an average that ends"),
    ],
)
def test_results_of_raw_weights_do_not_stand_for_those_of_averaged_ones(
    at_end: Any, tested: Any, raw_tested: Any, averaged: str | None, raw: str | None, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    names = ("last.test.json", "last.raw.test.json")
    for time, (path, weights) in enumerate(
        zip((run.results, *map(run.checkpoints.joinpath, names)), (at_end, tested, raw_tested), strict=True)
    ):
        if weights is not None:
            leave(path, 1e9 + time, **weights)
    assert find_results(tmp_path).name == (averaged or "results.json")
    if raw is not None:
        assert find_results(tmp_path, "raw").name == raw
