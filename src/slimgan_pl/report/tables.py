"""Tables of a page."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from slimgan_pl.evaluation.metrics.metric import Column
from slimgan_pl.evaluation.results import EvaluationResults, Row
from slimgan_pl.evaluation.results_table import cell
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


def width_table(widths: Sequence[float], results: EvaluationResults | None, drawn: Drawn) -> Table:
    """Return sizes, latency and metrics of each width, with the best of each metric marked."""
    rows = () if results is None else results.rows
    sizes = {
        "parameters": {**drawn.parameters, **size_of(rows, "parameters")},
        "MACs": {**drawn.macs, **size_of(rows, "macs")},
    }
    times = {} if drawn.latency is None else drawn.latency.seconds
    texts = {name: {width: compact(number) for width, number in found.items()} for name, found in sizes.items()}
    texts["latency"] = {width: milliseconds(seconds) for width, seconds in times.items()}
    texts = {name: values for name, values in texts.items() if values}
    head, body = ["width", *texts], [[Cell(f"{w:g}"), *(Cell(t.get(w, "")) for t in texts.values())] for w in widths]
    for column in [] if results is None else results.columns:
        assert results is not None
        head.append(f"{results.label(column.key)} {column.arrow}")
        for width, cells in zip(widths, body, strict=True):
            cells.append(metric_cell(column, width, results))
    return Table(head, body + real_rows(results, len(texts)))


def size_of(rows: Iterable[Row], key: str) -> dict[float, int]:
    """Return a size per width, as far as results have it."""
    return {row.width: int(row.values[key]) for row in rows if row.width is not None and key in row.values}


def metric_cell(column: Column, width: float, results: EvaluationResults) -> Cell:
    """Return a metric of a width, marked if it is the best of several values."""
    row = results.row(width)
    if row is None:
        return Cell("")
    values = {value for each in results.rows if math.isfinite(value := each.values.get(column.key, math.nan))}
    is_best = len(values) > 1 and row.values.get(column.key) == column.best(values)
    return Cell(cell(column, row, results), is_best)


def real_rows(results: EvaluationResults | None, num_sizes: int) -> list[list[Cell]]:
    """Return the row of the real images, if they have metrics."""
    if results is None or not any(column.key in results.real for column in results.columns):
        return []
    real = Row(None, results.real, {})
    cells = [Cell(cell(column, real, results)) for column in results.columns]
    return [[Cell("real images"), *[Cell("")] * num_sizes, *cells]]
