"""Results as a page shows them: of the form that it counts on, whoever wrote them."""

import math
from collections.abc import Mapping
from typing import Any

from slimgan_pl.evaluation import key_of

__all__ = ["consistency_of", "tidy"]

BETWEEN_WIDTHS = ("mic", "agreement")


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
        "iteration": None if iteration is None else int(iteration),
        "widths": [numbers(row) for row in results["widths"] if is_number(row.get("width"))],
        "real": numbers(results.get("real")),
        "deviation": {"widths": list(map(numbers, deviations)) if isinstance(deviations, list) else []},
        "protocol": {
            **protocol,
            "seeds": seeds if isinstance(seeds, list) else [0],
            "splits": splits if is_number(splits) else 1,
        },
    }


def numbers(row: Any) -> dict[str, float]:
    """Return what is a number in a row."""
    return {key: value for key, value in row.items() if is_number(value)} if isinstance(row, dict) else {}


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def consistency_of(results: Mapping[str, Any]) -> list[list[float]] | None:
    """Return the distances between widths, or None if there are none that are whole and finite."""
    matrix = results.get(key_of("consistency", results))
    size = len(results["widths"])
    if not isinstance(matrix, list) or size < 2 or len(matrix) != size:
        return None
    for row in matrix:
        if not isinstance(row, list) or len(row) != size:
            return None
        if not all(is_number(value) and math.isfinite(value) for value in row):
            return None
    return matrix
