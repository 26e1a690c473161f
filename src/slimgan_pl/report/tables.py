"""Tables of a page."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from slimgan_pl.evaluation.metrics.metric import Column
from slimgan_pl.evaluation.results import EvaluationResults, Row
from slimgan_pl.evaluation.results_table import cell
from slimgan_pl.report.summary import RunSummary
from slimgan_pl.utils.formatting import compact, milliseconds

__all__ = ["Cell", "Table", "width_table"]


class Cell(NamedTuple):
    """Text of a cell, marked if the best of its column."""

    text: str
    is_best: bool = False


class Table(NamedTuple):
    """Head and rows; the first cell of each row is its name."""

    head: list[str]
    rows: list[list[Cell]]


def width_table(widths: Sequence[float], results: EvaluationResults | None, summary: RunSummary) -> Table:
    """Return sizes, latency and metrics of each width, best metrics marked."""
    rows = () if results is None else results.rows
    sizes = {
        "parameters": {**summary.parameters, **size_of(rows, "parameters")},
        "MACs": {**summary.macs, **size_of(rows, "macs")},
    }
    times = {} if summary.latency is None else summary.latency.seconds
    texts = {name: {width: compact(number) for width, number in found.items()} for name, found in sizes.items()}
    texts["latency"] = {width: milliseconds(seconds) for width, seconds in times.items()}
    texts = {name: values for name, values in texts.items() if values}
    head, body = ["width", *texts], [[Cell(f"{w:g}"), *(Cell(t.get(w, "")) for t in texts.values())] for w in widths]
    if results is None:
        return Table(head, body)
    for column in results.columns:
        head.append(f"{results.label(column.key)} {column.arrow}")
        for width, cells in zip(widths, body, strict=True):
            cells.append(metric_cell(column, width, results))
    if any(column.key in results.real for column in results.columns):
        real = Row(None, results.real, {})
        metrics = [Cell(cell(column, real, results)) for column in results.columns]
        body.append([Cell("real images"), *[Cell("")] * len(texts), *metrics])
    return Table(head, body)


def size_of(rows: Iterable[Row], key: str) -> dict[float, int]:
    """Return a size per width, where the results hold it."""
    return {row.width: int(row.values[key]) for row in rows if row.width is not None and key in row.values}


def metric_cell(column: Column, width: float, results: EvaluationResults) -> Cell:
    """Return a width's metric, marked if it is the best of several."""
    row = results.row(width)
    if row is None:
        return Cell("")
    values = {value for each in results.rows if math.isfinite(value := each.values.get(column.key, math.nan))}
    is_best = len(values) > 1 and row.values.get(column.key) == column.best(values)
    return Cell(cell(column, row, results), is_best)
