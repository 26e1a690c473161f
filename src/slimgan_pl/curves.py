"""What a run has logged, as curves."""

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["Curve", "by_quantity", "read_curves", "split_key", "thin"]

Curve = list[tuple[int, float]]  # iterations and values


def split_key(key: str) -> tuple[str, float] | None:
    """Return the quantity and the width that a logged value is of, or None if it is of no width.

    >>> split_key("generator_loss/0.25"), split_key("pace/epochs")
    (('generator_loss', 0.25), None)
    """
    quantity, _, width = key.rpartition("/")
    try:
        return (quantity, float(width)) if quantity else None
    except ValueError:
        return None


def read_curves(path: Path) -> dict[str, Curve]:
    """Return a curve for each column of a run's ``metrics.csv``; what is not finite is left out.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds something else.
    """
    curves: dict[str, Curve] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row.get("step"):
                raise ValueError(f"{path} is no table of figures: a row has no iteration")
            iteration = int(row["step"])
            for key, value in row.items():
                if key != "step" and value and math.isfinite(number := float(value)):
                    curves.setdefault(key, []).append((iteration, number))
    return curves


def by_quantity(curves: Mapping[str, Curve]) -> dict[str, dict[float, Curve]]:
    """Return the curves of widths by quantity, narrow to wide."""
    found: dict[str, dict[float, Curve]] = {}
    for key, curve in curves.items():
        if (of_width := split_key(key)) is not None:
            found.setdefault(of_width[0], {})[of_width[1]] = curve
    return {quantity: dict(sorted(widths.items())) for quantity, widths in found.items()}


def thin(curve: Curve, most: int) -> Curve:
    """Return at most so many points of a curve: the means of equal parts, each at its last iteration."""
    size = math.ceil(len(curve) / most)
    parts: Iterable[Curve] = (curve[start : start + size] for start in range(0, len(curve), size))
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]
