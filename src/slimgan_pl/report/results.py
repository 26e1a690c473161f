"""Results as a page shows them: of the form that it counts on, whoever wrote them."""

import math
from collections.abc import Mapping
from typing import Any

from slimgan_pl.curves import HUGE
from slimgan_pl.evaluation import key_of

__all__ = ["consistency_of", "tidy"]

BETWEEN_WIDTHS = ("mic", "agreement")

SIZES = ("width", "parameters", "macs", "iterations", "device_seconds")


def tidy(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results without what is no number where one belongs, and with all that tables of figures ask for.

    Args:
        results: What ``read_results`` returned.
    """
    iteration, protocol = results["iteration"], results["protocol"]
    seeds, splits = protocol.get("seeds"), protocol.get("splits")
    between = {key: results.get(key) for key in (key_of(figure, results) for figure in BETWEEN_WIDTHS)}
    odd = {key for key, value in between.items() if not is_number(value)}
    deviation = results.get("deviation")
    deviations = deviation.get("widths") if isinstance(deviation, dict) else None
    return {
        **{key: value for key, value in results.items() if key not in odd},
        "iteration": int(iteration) if is_finite(iteration) else None,
        "widths": list({row["width"]: row for row in map(numbers, results["widths"]) if "width" in row}.values()),
        "training": numbers(results.get("training")),
        "real": numbers(results.get("real")),
        "deviation": {"widths": list(map(numbers, deviations)) if isinstance(deviations, list) else []},
        "protocol": {
            **protocol,
            "seeds": seeds if isinstance(seeds, list) else [0],
            "splits": splits if is_number(splits) else 1,
        },
    }


def numbers(row: Any) -> dict[str, float]:
    """Return what is a number in a row; sizes are finite, figures may be NaN."""
    if not isinstance(row, dict):
        return {}
    return {key: value for key, value in row.items() if is_finite(value) or (is_number(value) and key not in SIZES)}


def is_number(value: object) -> bool:
    return is_finite(value) or (isinstance(value, float) and math.isnan(value))


def is_finite(value: object) -> bool:
    """Return whether a value is a number that can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < HUGE


def consistency_of(results: Mapping[str, Any]) -> list[list[float]] | None:
    """Return the distances between widths, or None if there are none that are whole and finite."""
    matrix = results.get(key_of("consistency", results))
    size = len(results["widths"])
    if not isinstance(matrix, list) or size < 2 or len(matrix) != size:
        return None
    for row in matrix:
        if not isinstance(row, list) or len(row) != size:
            return None
        if not all(is_finite(value) for value in row):
            return None
    return matrix
