"""Means and deviations over seeds of the latents."""

from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Any

__all__ = ["over_seeds"]


def over_seeds(heads: Sequence[dict[str, Any]], metrics: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return metrics with a row per width, or their means over seeds with their sample standard deviations.

    Args:
        heads: First entries of each row.
        metrics: Of each seed: rows as ``widths``, and metrics between widths.

    >>> over_seeds([{"width": 1.0}], [{"widths": [{"fid": 3.0}]}, {"widths": [{"fid": 5.0}]}])["deviation"]
    {'widths': [{'fid': 1.4142135623730951}]}
    """
    mean = combine(metrics, fmean)
    rows = [{**head, **row} for head, row in zip(heads, mean.pop("widths"), strict=True)]
    if len(metrics) == 1:
        return {"widths": rows, **mean}
    return {"widths": rows, **mean, "deviation": combine(metrics, stdev), "per_seed": list(metrics)}


def combine(values: Sequence[Any], function: Callable[[Sequence[float]], float]) -> Any:
    """Apply a function to the numbers at each place of equal structures."""
    if isinstance(values[0], dict):
        return {key: combine([value[key] for value in values], function) for key in values[0]}
    if isinstance(values[0], list):
        return [combine(items, function) for items in zip(*values, strict=True)]
    return function(values)
