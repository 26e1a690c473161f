"""The form of ``results.json``: checks, and the keys of metrics."""

import math
from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any

from slimgan_pl.evaluation.metrics.registry import BETWEEN, COLUMNS
from slimgan_pl.utils.recipes import with_current_paths

__all__ = ["HUGE", "SIZES", "STD", "check_document", "is_finite", "metric_key", "net_of"]

SIZES = ("parameters", "macs")  # of a row, beside its metrics

COSTS = ("iterations", "device_seconds", "macs")  # of the training

HUGE = 1e300  # from here on sums overflow

STD = "_std"  # behind the key of a metric's deviation within one evaluation


def check_document(document: dict[str, Any]) -> dict[str, Any]:
    """Return results without values that should be numbers and are not.

    Raises:
        ValueError: If they have another form; a TypeError or the like if types are wrong.
    """
    if not {"extractor", "protocol", "iteration", "widths"} <= document.keys():
        raise ValueError("metrics are missing")
    nets = {name: with_current_paths(document[name]) for name in document.keys() & {"extractor", "classifier"}}
    for net in filter(None, (nets["extractor"] or {"name": None}, nets.get("classifier"))):
        if not isinstance(net["name"], str) or not isinstance(net.get("weights_sha256"), str | None):
            raise ValueError("the name or checksum of a net is not text")
    protocol, iteration, training = document["protocol"], document["iteration"], document.get("training")
    int(iteration or 0)
    if not isinstance(document.get("weights", ""), str):
        raise ValueError("the weights are not text")
    for row in document["widths"]:
        for value in (row["width"], *row.values()):
            float(0 if value is None else value)
    if training and any(isinstance(training.get(key), str | list | dict) for key in ("device_seconds", "macs")):
        raise ValueError("a cost of the training is not a number")
    seeds = protocol["seeds"] if isinstance(protocol.get("seeds"), list) else [0]
    splits = protocol["splits"] if is_finite(protocol.get("splits")) else 1
    found = {
        **document,
        **nets,
        "iteration": int(iteration) if is_finite(iteration) else None,
        **check_rows(document["widths"], document.get("deviation")),
        "protocol": {**protocol, "seeds": seeds, "splits": splits},
    }
    found |= {key: numbers(document[key]) for key in ("training", "real") if document.get(key) is not None}
    odd = [metric_key(column.key, found) for column in BETWEEN]
    return {key: value for key, value in found.items() if key not in odd or is_number(value)}


def check_rows(rows: list[dict[str, Any]], deviation: Any) -> dict[str, Any]:
    """Return the rows of a width or a folder, and their deviations."""
    others = deviation if isinstance(deviation, dict) else {}
    deviations = others.get("widths")
    pairs = chain(deviations if isinstance(deviations, list) else (), repeat({}))
    of_images = len(rows) == 1 and rows[0]["width"] is None
    kept = {
        row["width"]: ({"width": row["width"], **numbers(row)}, numbers(pair))
        for row, pair in zip(rows, pairs, strict=False)
        if of_images or is_finite(row["width"])
    }
    found: dict[str, Any] = {"widths": [row for row, _ in kept.values()]}
    if deviation is not None:
        found["deviation"] = {**others, "widths": [pair for _, pair in kept.values()]}
    return found


def numbers(row: Any) -> dict[str, float]:
    """Return a row's numbers; only metrics may be NaN or infinite."""
    finite = ("width", *SIZES, *COSTS)
    items = row.items() if isinstance(row, dict) else ()
    return {key: value for key, value in items if is_finite(value) or (is_number(value) and key not in finite)}


def is_number(value: object) -> bool:
    return is_finite(value) or (isinstance(value, float) and not math.isfinite(value))


def is_finite(value: object) -> bool:
    """Return whether a chart can show a value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < HUGE


def net_of(metric: str, provenance: Mapping[str, Any]) -> str:
    """Return the name of a metric's net: the classifier for class logits.

    >>> net_of("is_std", {"extractor": {"name": "inception"}, "classifier": {"name": "digits"}})
    'digits'
    """
    of_logits = {column.key for column in (*COLUMNS, *BETWEEN) if column.of_logits}
    classifier = provenance.get("classifier") if metric.removesuffix(STD) in of_logits else None
    return str((classifier or provenance["extractor"])["name"])


def metric_key(metric: str, provenance: Mapping[str, Any]) -> str:
    """Return the key of a metric, which names any net but Inception.

    >>> metric_key("fid", {"extractor": {"name": "inception"}}), metric_key("fid", {"extractor": {"name": "digits"}})
    ('fid', 'fid_digits')
    """
    net = net_of(metric, provenance)
    return metric if net == "inception" else f"{metric}_{net}"
