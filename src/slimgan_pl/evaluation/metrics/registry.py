"""All metrics, found among the modules of this package."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Literal

from slimgan_pl.evaluation import metrics as package
from slimgan_pl.evaluation.metrics.metric import Column, Metric

__all__ = ["BETWEEN", "COLUMNS", "COLUMN_KEYS", "LOWER_IS_BETTER", "METRICS", "ColumnKey", "MetricName", "column_of"]


def find_metrics() -> dict[str, Metric]:
    """Return the ``METRIC`` of each module, by name and in their order."""
    modules = [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
    metrics = [module.METRIC for module in modules if hasattr(module, "METRIC")]
    return {metric.name: metric for metric in sorted(metrics, key=lambda metric: (metric.order, metric.name))}


METRICS = find_metrics()

COLUMNS = tuple(column for metric in METRICS.values() if metric.between is None for column in metric.columns)

BETWEEN = tuple(column for metric in METRICS.values() if metric.between is not None for column in metric.columns)

COLUMN_KEYS = tuple(column.key for column in COLUMNS)

LOWER_IS_BETTER = tuple(column.key for column in (*COLUMNS, *BETWEEN) if column.better == "lower")

if TYPE_CHECKING:
    MetricName = str
    ColumnKey = str
else:  # so that command lines know the choices
    MetricName = Literal[tuple(METRICS)]
    ColumnKey = Literal[COLUMN_KEYS]


def column_of(key: str) -> Column:
    """Return the column of a key."""
    return next(column for column in (*COLUMNS, *BETWEEN) if column.key == key)
