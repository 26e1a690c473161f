"""Earlier evaluations are those before, of the same run and by the same protocol."""

import json
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.evaluation import EvaluationResults
from slimgan_pl.runs.evaluations import evaluations_before

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


@pytest.mark.parametrize("text", ["", "[1]", '{"iteration": "x"}', "\x00"])
def test_a_damaged_file_counts_as_missing(text: str, tmp_path: Path) -> None:
    write(tmp_path, 10)
    (tmp_path / "results" / "iteration_000020.json").write_text(text)
    assert iterations_before(tmp_path) == [10]


def test_before_images_of_no_iteration_there_is_nothing(tmp_path: Path) -> None:
    write(tmp_path, 10)
    assert evaluations_before(tmp_path, EvaluationResults.from_json({**NOW, "iteration": None})) == []
