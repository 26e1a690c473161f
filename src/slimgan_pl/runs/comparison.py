"""Comparison of the results of several runs."""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from slimgan_pl.evaluation.metrics import LOWER_IS_BETTER
from slimgan_pl.utils.formatting import duration, macs_text

__all__ = ["Figure", "differences", "lines", "make_run", "short_names"]

Figure = Literal["fid", "kid", "is", "precision", "recall", "density", "coverage"]

PROTOCOL = {
    "data": "the real images",
    "num_real": "the numbers of real images",
    "num_fake": "the numbers of fakes",
    "num_score": "the numbers of fakes for the score",
    "splits": "the splits of the score",
}

IMAGES = math.inf  # stands for the width of a folder of images, which has none


class Run(NamedTuple):
    """A run: its name, a figure per width, whether it is a plain GAN of one width, and what its training cost."""

    name: str
    figures: dict[float, float]
    is_individual: bool
    iterations: int
    seconds: float | None  # of all devices
    macs: float | None


def differences(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each thing that differs and makes figures of these results incomparable."""
    found = []
    for key, what in PROTOCOL.items():
        values = {str(result["protocol"].get(key)) for result in results}
        if len(values) > 1:
            found.append(f"{what} differ ({', '.join(sorted(values))}); such figures do not compare")
    for net in ("extractor", "classifier"):
        if len({(result.get(net) or {}).get("weights_sha256") for result in results}) > 1:
            found.append(f"the {net}'s weights differ; such figures do not compare")
    return found


def short_names(runs: Sequence[str]) -> list[str]:
    """Return the names of runs without the folders that all of them lie in.

    >>> short_names(["runs/a/version_0", "runs/b/version_0/"])
    ['a/version_0', 'b/version_0']
    """
    parents = [Path(run).parent for run in runs]
    if len({parent.is_absolute() for parent in parents}) > 1:
        return list(runs)
    shared = Path(os.path.commonpath(parents))
    return [str(Path(run).relative_to(shared)) for run in runs]


def make_run(name: str, results: dict[str, Any], key: str) -> Run:
    """Return a row of the table; the cost is unknown where a part of the training was not counted."""
    iteration = int(results["iteration"] or 0)
    cost = dict(results.get("training") or {})
    if cost.get("iterations") != iteration:
        cost = {}
    figures = {
        IMAGES if row["width"] is None else float(row["width"]): row[key]
        for row in results["widths"]
        if row.get(key) is not None
    }
    return Run(
        name,
        {width: float(figure) for width, figure in figures.items()},
        results.get("individual") is not None,
        iteration,
        cost.get("device_seconds"),
        cost.get("macs"),
    )


def add_up(rows: Sequence[Run]) -> list[tuple[str, float | None, float | None]]:
    """Return the name, the time and the multiply-accumulates of each sum below the table."""
    kinds = {"slimmable": [r for r in rows if not r.is_individual], "individual": [r for r in rows if r.is_individual]}
    groups = {f"sum, {name}": group for name, group in kinds.items() if group and len(group) < len(rows)}
    return [(name, total(group, "seconds"), total(group, "macs")) for name, group in [*groups.items(), ("sum", rows)]]


def total(rows: Sequence[Run], key: Literal["seconds", "macs"]) -> float | None:
    """Return a sum, or None where a run does not know its part."""
    values: list[float | None] = [getattr(row, key) for row in rows]
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def lines(rows: Sequence[Run], widths: Sequence[float], metric: str, mark: str) -> list[list[str]]:
    """Return the table as text: the head, a line per run with the best of each column marked, and the sums."""
    columns = {width: [row.figures[width] for row in rows if width in row.figures] for width in widths}
    finite = {width: [figure for figure in column if math.isfinite(figure)] for width, column in columns.items()}
    choose: Callable[[Iterable[float]], float] = min if metric in LOWER_IS_BETTER else max
    best = {width: choose(column) for width, column in finite.items() if column}
    table = [["run", *(width_name(width) for width in widths), "iterations", "training", "MACs"]]
    for row in rows:
        texts = {width: mark if figure == best.get(width) else "{:.4g}" for width, figure in row.figures.items()}
        figures = [texts[width].format(row.figures[width]) if width in texts else "" for width in widths]
        table.append([row.name, *figures, f"{row.iterations:,}", duration(row.seconds), macs_text(row.macs)])
    blank = [""] * (len(widths) + 1)
    return table + [[name, *blank, duration(seconds), macs_text(macs)] for name, seconds, macs in add_up(rows)]


def width_name(width: float) -> str:
    return "images" if width == IMAGES else f"{width:g}"
