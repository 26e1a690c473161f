"""Curves of a log, thinned."""

import math
from pathlib import Path
from statistics import fmean

import pytest

from slimgan_pl.runs.curves import MOST_POINTS, curves_of, read_metrics, thin


def test_a_point_is_the_mean_of_its_neighbours() -> None:
    rows = [{"step": step, "x": value} for step, value in ((10, 1.0), (20, 5.0), (30, 2.0), (40, 9.0))]
    assert thin(rows, 2) == [{"step": 15.0, "x": 3.0}, {"step": 35.0, "x": 5.5}]


@pytest.mark.parametrize("count", [1, 399, 400, 401, 1234])
def test_no_line_has_more_points_than_fit_and_no_row_is_left_out(count: int) -> None:
    rows = [{"step": float(step), "x": float(step % 7)} for step in range(count)]
    thinned = thin(rows)
    assert len(thinned) == min(count, MOST_POINTS)
    bounds = [count * number // len(thinned) for number in range(len(thinned) + 1)]
    for row, start, end in zip(thinned, bounds, bounds[1:], strict=False):
        assert row["x"] == fmean(part["x"] for part in rows[start:end])


def test_a_short_log_stays_as_it_is() -> None:
    rows = [{"step": 1.0, "x": 0.1}, {"step": 2.0, "x": 0.7}]
    assert thin(rows) == rows


def test_there_is_a_line_per_width_and_none_of_their_mean() -> None:
    log = [{"step": 1, "generator_loss": 9, "generator_loss/1": 3, "generator_loss/0.25": 2, "generator_loss/x": 1}]
    curves = curves_of(log, "generator_loss")
    assert curves is not None
    assert list(curves.values()) == [(1, 0.25, 2), (1, 1.0, 3)]


def test_what_has_no_width_is_one_line() -> None:
    curves = curves_of([{"step": 1, "pace/epochs": 3}], "pace/epochs")
    assert curves is not None
    assert list(curves.values()) == [(1, None, 3)]


def test_values_that_are_not_finite_are_left_out_and_counted() -> None:
    log = [{"step": 1, "x/1": math.nan, "x/0.5": 2.0}, {"step": 2, "x/1": math.inf}, {"step": 3, "x/1": 4.0}]
    curves = curves_of(log, "x")
    assert curves is not None
    assert list(curves.values()) == [(1, 0.5, 2.0), (3, 1.0, 4.0)]
    assert curves.dropped == 2


def test_what_was_never_logged_has_no_curves() -> None:
    assert curves_of([{"step": 1, "y/1": 1.0}], "x") is None
    assert curves_of([{"step": 1, "x/1": math.nan}], "x") is None


def test_empty_cells_and_rows_without_an_iteration_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("a/0.5,b,step\n1.5,,10\n2,3,\n,4,30\n")
    assert read_metrics(path) == [{"a/0.5": 1.5, "step": 10}, {"b": 4, "step": 30}]
