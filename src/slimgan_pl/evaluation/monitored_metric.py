"""Metric by which evaluations of a run are compared."""

import math
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.metrics.metric import Column
from slimgan_pl.evaluation.metrics.registry import BETWEEN, COLUMNS
from slimgan_pl.evaluation.results import EvaluationResults

__all__ = ["MonitoredMetric"]


@dataclass(frozen=True)
class MonitoredMetric:
    """Metric of all widths (their mean), of one, or between them.

    Attributes:
        column: The number that an evaluation gives, and which of its values are better.
        width: Width that it is of; None: the mean over all.
    """

    column: Column
    width: float | None = None

    @classmethod
    def named(cls, name: str) -> "MonitoredMetric":
        """Return the metric of a name such as ``fid``, ``fid_digits`` or ``fid_digits/0.5``.

        Raises:
            SlimGANError: If it names no metric.
        """
        key, slash, width = name.partition("/")
        columns = [*COLUMNS, *BETWEEN]
        column = next((each for each in columns if f"{key}_".startswith(f"{each.key}_")), None)
        with suppress(ValueError):
            if column is not None and (not slash or column in COLUMNS):
                return cls(column, float(width) if slash else None)
        raise SlimGANError(
            f"{name!r} is no metric of images, by which checkpoints are compared; name one of "
            f"{', '.join(each.key for each in columns)}, or of one width, such as fid/1"
        )

    def value(self, results: EvaluationResults) -> float:
        """Return its value in an evaluation; NaN where there is none."""
        key = self.column.key
        if self.column in BETWEEN:
            return results.between.get(key, math.nan)
        rows = [row for row in results.rows if self.width in (None, row.width)]
        return fmean(row.values.get(key, math.nan) for row in rows) if rows else math.nan

    def is_better(self, value: float, other: float) -> bool:
        """Return whether a value is finite and better than another."""
        if not (math.isfinite(value) and math.isfinite(other)):
            return math.isfinite(value)
        return value < other if self.column.better == "lower" else value > other

    def describe(self, results: EvaluationResults) -> str:
        """Describe a value, such as ``FID (digits) 8.31 (mean over the widths)``."""
        of = "" if self.column in BETWEEN else " (mean over the widths)"
        of = of if self.width is None else f" (width {self.width:g})"
        return f"{results.label(self.column.key)} {self.column.format.format(self.value(results))}{of}"
