"""Curves of a run's log, thinned to what a screen can show."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results_json import HUGE
from slimgan_pl.utils.files import reason_of

__all__ = ["MOST_POINTS", "Curves", "curves_of", "read_metrics", "split_column", "thin"]

MOST_POINTS = 400  # per line


class Curves(NamedTuple):
    """A quantity over iterations: rows with ``step`` and a value per line."""

    rows: list[dict[str, float]]
    lines: dict[float | None, str]  # columns by width; None for a quantity without widths
    logged: int  # rows before thinning
    dropped: int  # number of values that are not finite

    def values(self) -> Iterator[tuple[float, float | None, float]]:
        """Yield iteration, width and value of each point."""
        for row in self.rows:
            for width, column in self.lines.items():
                if column in row:
                    yield row["step"], width, row[column]


def curves_of(log: Sequence[Mapping[str, float]], quantity: str, most: int = MOST_POINTS) -> Curves | None:
    """Return the curves of a quantity, or None if not logged.

    Args:
        log: Rows with ``step``, as :func:`read_metrics` returns them.
        quantity: Name in front of ``/width`` in the columns, or a column's whole name.
        most: Largest number of points of a line.
    """
    columns = sorted({column for row in log for column in row})
    widths = {of[1]: column for column in columns if (of := split_column(column)) and of[0] == quantity}
    lines: dict[float | None, str] = {width: widths[width] for width in sorted(widths)} or {None: quantity}
    known = lines.values()
    finite = [{name: row[name] for name in ("step", *known) if is_finite(row, name)} for row in log]
    dropped = sum(name in row and not is_finite(row, name) for row in log for name in known)
    kept = sorted((row for row in finite if len(row) > 1), key=lambda row: row["step"])
    return Curves(thin(kept, most), lines, len(kept), dropped) if kept else None


def is_finite(row: Mapping[str, float], column: str) -> bool:
    return abs(row.get(column, math.nan)) < HUGE


def split_column(column: str) -> tuple[str, float] | None:
    """Return a column's quantity and width, or None without a width.

    >>> split_column("generator_loss/0.25"), split_column("pace/epochs")
    (('generator_loss', 0.25), None)
    """
    quantity, _, width = column.rpartition("/")
    try:
        number = float(width) if quantity else math.nan
    except ValueError:
        return None
    return (quantity, number) if math.isfinite(number) else None


def thin(rows: Sequence[Mapping[str, float]], most: int = MOST_POINTS) -> list[dict[str, float]]:
    """Return at most ``most`` rows: means of nearly equal groups of neighbours.

    >>> thin([{"step": 1, "x": 2.0}, {"step": 3, "x": 4.0}, {"step": 5}], 2)
    [{'step': 1.0, 'x': 2.0}, {'step': 4.0, 'x': 4.0}]
    """
    parts = min(len(rows), most)
    bounds = [len(rows) * number // parts for number in range(parts + 1)] if parts else []
    return [means(rows[start:end]) for start, end in pairwise(bounds)]


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each column over the rows that hold it."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return {column: fmean(row[column] for row in rows if column in row) for column in columns}


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Return the numbers, finite or not, of a log's rows with iterations.

    Raises:
        SlimGANError: If the file is not such a table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [numbers(row) for row in csv.DictReader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SlimGANError(f"{path} is not a table of metrics") from error
    except OSError as error:
        raise SlimGANError(f"{path} cannot be read ({reason_of(error)})") from error
    return [row for row in rows if math.isfinite(row.get("step", math.nan))]


def numbers(row: Mapping[Any, Any]) -> dict[str, float]:
    """Return the numeric cells of a row."""
    found = {}
    for column, cell in row.items():
        try:
            found[str(column)] = float(cell)
        except (TypeError, ValueError):
            continue
    return found
