"""Tables of a page."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from slimgan_pl.evaluation.metrics.registry import LOWER_IS_BETTER
from slimgan_pl.evaluation.results import key_of
from slimgan_pl.evaluation.results_table import Column, cell, figure_name, figures_in
from slimgan_pl.report.drawing import Drawn
from slimgan_pl.utils.formatting import compact, milliseconds

__all__ = ["Cell", "Table", "width_table"]


class Cell(NamedTuple):
    """A cell, and whether it is the best of its column."""

    text: str
    is_best: bool = False


class Table(NamedTuple):
    """A head and rows; the first cell of each names it."""

    head: list[str]
    rows: list[list[Cell]]


def with_arrow(column: Column, results: Mapping[str, Any]) -> str:
    return f"{figure_name(column, results)} {'↓' if column.key in LOWER_IS_BETTER else '↑'}"


def width_table(widths: Sequence[float], results: dict[str, Any] | None, drawn: Drawn) -> Table:
    """Return the table of all that is known of each width, with the best of each figure marked."""
    columns = [] if results is None else figures_in(results)
    found = {} if results is None else {row["width"]: row for row in results["widths"]}
    parameters, macs = sizes(found, "parameters", drawn.parameters), sizes(found, "macs", drawn.macs)
    times = {} if drawn.latency is None else drawn.latency.seconds
    costs = {"parameters": parameters, "MACs": macs, "latency": times}
    shown = [name for name, values in costs.items() if values]
    head = ["width", *shown, *(with_arrow(column, results or {}) for column in columns)]
    deviations = {} if results is None else deviations_of(results)
    rows = []
    for width in widths:
        texts = {
            "parameters": compact(parameters.get(width)),
            "MACs": compact(macs.get(width)),
            "latency": milliseconds(times.get(width)),
        }
        figures = [figure_cell(column, width, found, deviations, results or {}) for column in columns]
        rows.append([Cell(f"{width:g}"), *(Cell(texts[name]) for name in shown), *figures])
    return Table(head, rows + real_row(columns, results, len(shown)))


def sizes(found: Mapping[float, Mapping[str, Any]], key: str, counted: Mapping[float, int]) -> dict[float, int]:
    """Return a size per width, from the results or else as it was counted."""
    return {
        **counted,
        **{width: int(row[key]) for width, row in found.items() if math.isfinite(row.get(key, math.nan))},
    }


def deviations_of(results: Mapping[str, Any]) -> dict[float, dict[str, float]]:
    """Return the deviations of each width's figures over seeds."""
    pairs = zip(results["widths"], results["deviation"]["widths"], strict=False)
    return {row["width"]: deviation for row, deviation in pairs}


def figure_cell(
    column: Column,
    width: float,
    found: Mapping[float, dict[str, Any]],
    deviations: Mapping[float, dict[str, float]],
    results: dict[str, Any],
) -> Cell:
    """Return a figure of a width."""
    key = key_of(column.key, results)
    values = [row[key] for row in found.values() if math.isfinite(row.get(key, math.nan))]
    choose = min if column.key in LOWER_IS_BETTER else max
    row = found.get(width, {})
    is_best = len(set(values)) > 1 and row.get(key) == choose(values)
    return Cell(cell(column, row, deviations.get(width, {}), results), is_best)


def real_row(columns: Sequence[Column], results: dict[str, Any] | None, before: int) -> list[list[Cell]]:
    """Return the row of the real images, where something is known of them."""
    if results is None or not any(key_of(column.key, results) in results["real"] for column in columns):
        return []
    real = results["real"]
    return [[Cell("real images"), *[Cell("")] * before, *(Cell(cell(c, real, {}, results)) for c in columns)]]
