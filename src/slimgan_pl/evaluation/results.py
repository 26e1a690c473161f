"""Figures over several seeds of the latents."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from slimgan_pl.errors import SlimGANError

__all__ = ["HUGE", "consistency_of", "figure_suffix", "judge_of", "key_of", "over_seeds", "read_results", "tidy"]

BETWEEN_WIDTHS = ("mic", "agreement")

SIZES = ("width", "parameters", "macs", "iterations", "device_seconds")

HUGE = 1e300  # from here on sums overflow

FIGURES_OF_LOGITS = ("is", "is_std", "agreement")


def over_seeds(heads: Sequence[dict[str, Any]], figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return figures with a row per width, or their means over seeds with their sample standard deviations.

    Args:
        heads: What each row begins with.
        figures: Of each seed: rows as ``widths``, and figures between widths.

    >>> over_seeds([{"width": 1.0}], [{"widths": [{"fid": 3.0}]}, {"widths": [{"fid": 5.0}]}])["deviation"]
    {'widths': [{'fid': 1.4142135623730951}]}
    """
    mean = combine(figures, fmean)
    rows = [{**head, **row} for head, row in zip(heads, mean.pop("widths"), strict=True)]
    if len(figures) == 1:
        return {"widths": rows, **mean}
    return {"widths": rows, **mean, "deviation": combine(figures, stdev), "per_seed": list(figures)}


def combine(values: Sequence[Any], function: Callable[[Sequence[float]], float]) -> Any:
    """Apply a function to the numbers at each place of equal structures."""
    if isinstance(values[0], dict):
        return {key: combine([value[key] for value in values], function) for key in values[0]}
    if isinstance(values[0], list):
        return [combine(items, function) for items in zip(*values, strict=True)]
    return function(values)


def figure_suffix(name: str) -> str:
    """Return what stands behind the name of a figure: nothing for Inception, else the extractor's name.

    >>> figure_suffix("inception"), figure_suffix("digits")
    ('', '_digits')
    """
    return "" if name == "inception" else f"_{name}"


def judge_of(figure: str, results: Mapping[str, Any]) -> str:
    """Return the name of the net that a figure of results comes from: the classifier if class logits made it.

    >>> judge_of("is", {"extractor": {"name": "inception"}, "classifier": {"name": "digits"}})
    'digits'
    """
    classifier = results.get("classifier") if figure in FIGURES_OF_LOGITS else None
    return str((classifier or {}).get("name", results["extractor"]["name"]))


def key_of(figure: str, results: Mapping[str, Any]) -> str:
    """Return the name that a figure has in results."""
    return f"{figure}{figure_suffix(judge_of(figure, results))}"


def read_results(run: str) -> dict[str, Any]:
    """Return the results in a file.

    Raises:
        SlimGANError: If there are none, or they are broken.
    """
    path = Path(run)
    try:
        results: dict[str, Any] = json.loads(path.read_text())
        if not {"extractor", "protocol", "iteration", "widths"} <= results.keys():
            raise ValueError("figures are missing")
        check_results(results)
    except FileNotFoundError:
        raise SlimGANError(
            f"there are no results at {path}; slimgan fit writes them at its end, slimgan test again"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise SlimGANError(f"{path} does not hold results of slimgan fit or test ({error})") from error
    return results


def check_results(results: dict[str, Any]) -> None:
    """Raise a ValueError, TypeError or the like where results are not of the form that a comparison reads."""
    for net in (results["extractor"], results.get("classifier")):
        if net is not None and not isinstance(net["name"], str):
            raise ValueError("a net has no name")
        if net is not None and not isinstance(net.get("weights_sha256"), str | None):
            raise ValueError("a checksum is no text")
    if results["extractor"] is None:
        raise ValueError("the extractor is missing")
    if not isinstance(results["protocol"], dict):
        raise ValueError("the protocol is missing")
    int(results["iteration"] or 0)
    for row in results["widths"]:
        for value in row.values():
            float(0 if value is None else value)
    cost = results.get("training") or {}
    for key in ("device_seconds", "macs"):
        float(cost.get(key) or 0)
        if isinstance(cost.get(key), str):
            raise ValueError(f"{key} is no number")


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
