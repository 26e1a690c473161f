"""Comparison of the results of several runs."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from slimgan_pl.evaluation.metrics.registry import column_of
from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.utils.formatting import duration, macs_text

__all__ = [
    "Run",
    "add_up",
    "differences",
    "is_same_evaluation",
    "lines",
    "make_run",
    "name_evaluations",
    "short_names",
    "width_name",
    "widths_of",
]


class Part(NamedTuple):
    """Part of an evaluation that has to be equal where metrics compare."""

    plural: str  # in a sentence about several evaluations
    name: str  # before the value of one


COMMON = {
    "data": Part("the real images", "data"),
    "labels": Part("the frequencies of the fakes' labels", "labels"),
}

DISTANCES = COMMON | {
    "num_real": Part("the numbers of real images", "real images"),
    "num_fake": Part("the numbers of fakes", "fakes"),
}

SCORE = COMMON | {
    "num_score": Part("the numbers of fakes for the score", "fakes"),
    "splits": Part("the splits of the score", "splits"),
}

Width = float | None  # None: a folder of images, which has no width


class Run(NamedTuple):
    """Run in a comparison: a metric per width, and training cost.

    ``is_individual`` says whether it is a plain GAN of one width; ``seconds`` and ``macs``, summed over devices, are
    None where unknown.
    """

    name: str
    values: dict[Width, float]
    is_individual: bool
    iterations: int
    seconds: float | None
    macs: float | None


def differences(results: Sequence[EvaluationResults], metric: str) -> list[str]:
    """Return differences among evaluations that make a metric not compare."""
    found = []
    for key, part in parts_of(metric).items():
        values = {str(result.protocol.get(key)) for result in results} - ({"None"} if key == "labels" else set())
        if len(values) > 1:
            found.append(f"{part.plural} differ ({', '.join(sorted(values))})")
    weights = {(each.extractor_of(metric), weights_of(each, metric)) for each in results}
    if len(weights) > len({name for name, _ in weights}):
        found.append("the extractor's weights differ")
    return found


def name_evaluations(results: Sequence[EvaluationResults], metric: str) -> list[str]:
    """Return a name per evaluation, the same where the metric compares.

    It is the metric's label, and what differs among the evaluations by the same net.
    """
    labels = [each.label(metric, names_extractor=True) for each in results]
    described = [describe_evaluation(each, metric) for each in results]
    found: dict[tuple[str, str], set[str]] = {}  # values by label and part
    for label, values in zip(labels, described, strict=True):
        for name, value in values.items():
            found.setdefault((label, name), set()).add(value)
    return [
        ", ".join([label, *(f"{name} {value}" for name, value in values.items() if len(found[label, name]) > 1)])
        for label, values in zip(labels, described, strict=True)
    ]


def describe_evaluation(results: EvaluationResults, metric: str) -> dict[str, str]:
    """Return the values of an evaluation that a metric depends on."""
    parts = {key: part for key, part in parts_of(metric).items() if key != "labels" or results.protocol["labels"]}
    values = {part.name: str(results.protocol.get(key)) for key, part in parts.items()}
    return {**values, "weights": str(weights_of(results, metric))[:8]}


def is_same_evaluation(one: EvaluationResults, other: EvaluationResults, metric: str) -> bool:
    """Return whether a metric of two evaluations compares."""
    return len(set(name_evaluations([one, other], metric))) == 1


def parts_of(metric: str) -> dict[str, Part]:
    """Return the parts of a protocol that a metric depends on."""
    return SCORE if metric == "is" else DISTANCES


def weights_of(results: EvaluationResults, metric: str) -> str | None:
    """Return the checksum of the weights behind a metric."""
    nets = [results.provenance.get(name) or {} for name in ("extractor", "classifier")]
    return next((net.get("weights_sha256") for net in nets if net.get("name") == results.extractor_of(metric)), None)


def short_names(runs: Sequence[str]) -> list[str]:
    """Return the names of runs without the folders that they share.

    >>> short_names(["runs/a/version_0", "runs/b/version_0/"])
    ['a/version_0', 'b/version_0']
    """
    parents = [Path(run).parent for run in runs]
    if len({parent.is_absolute() for parent in parents}) > 1:
        return list(runs)
    shared = Path(os.path.commonpath(parents))
    return [str(Path(run).relative_to(shared)) for run in runs]


def make_run(name: str, results: EvaluationResults, metric: str) -> Run:
    """Return a row of the table, without a partly counted cost; raw weights in place of averaged ones are named."""
    iteration = results.iteration or 0
    cost = results.training if results.training.get("iterations") == iteration else {}
    return Run(
        f"{name} (raw weights)" if results.skips_average else name,
        {row.width: float(row.values[metric]) for row in results.rows if metric in row.values},
        results.individual is not None,
        iteration,
        cost.get("device_seconds"),
        cost.get("macs"),
    )


def add_up(rows: Sequence[Run]) -> list[tuple[str, float | None, float | None]]:
    """Return name, time and multiply-accumulates of each sum below the table."""
    kinds = {"slimmable": [r for r in rows if not r.is_individual], "individual": [r for r in rows if r.is_individual]}
    groups = {f"sum, {name}": group for name, group in kinds.items() if group and len(group) < len(rows)}
    return [(name, total(group, "seconds"), total(group, "macs")) for name, group in [*groups.items(), ("sum", rows)]]


def total(rows: Sequence[Run], key: Literal["seconds", "macs"]) -> float | None:
    """Return a sum, or None where a part is unknown."""
    values = [getattr(row, key) for row in rows]
    return None if None in values else sum(values)


def widths_of(rows: Sequence[Run]) -> list[Width]:
    """Return the widths of all runs, ascending; images come last."""
    widths = {width for row in rows for width in row.values}
    return sorted(widths, key=lambda width: math.inf if width is None else width)


def lines(rows: Sequence[Run], metric: str, mark: str) -> list[list[str]]:
    """Return the table as text: a head, the runs and the sums.

    ``mark`` is the format of the best of a column.
    """
    widths, column = widths_of(rows), column_of(metric)
    columns = {width: [row.values.get(width, math.nan) for row in rows] for width in widths}
    finite = {width: list(filter(math.isfinite, values)) for width, values in columns.items()}
    best = {width: column.best(values) for width, values in finite.items() if values}
    table = [["run", *map(width_name, widths), "iterations", "training", "MACs"]]
    for row in rows:
        texts = {width: mark if value == best.get(width) else "{:.4g}" for width, value in row.values.items()}
        values = [texts[width].format(row.values[width]) if width in texts else "" for width in widths]
        table.append([row.name, *values, f"{row.iterations:,}", duration(row.seconds), macs_text(row.macs)])
    blank = [""] * (len(widths) + 1)
    return table + [[name, *blank, duration(seconds), macs_text(macs)] for name, seconds, macs in add_up(rows)]


def width_name(width: Width) -> str:
    """Return the head of a column."""
    return "images" if width is None else f"{width:g}"
