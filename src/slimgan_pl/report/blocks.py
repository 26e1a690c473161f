"""Blocks of a page: charts with their titles, notes and numbers."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from slimgan_pl.evaluation.metrics.registry import BETWEEN
from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.report.charts import Point, Spec, heatmap, lines, trade_off
from slimgan_pl.report.tables import Cell, Table
from slimgan_pl.report.timings import Timings
from slimgan_pl.runs.comparison import is_same_evaluation
from slimgan_pl.runs.curves import Curves, curves_of

__all__ = [
    "LATENCY",
    "LOSSES",
    "Block",
    "Choice",
    "consistency_block",
    "cost_points",
    "costs_of",
    "curve_blocks",
    "evaluation_blocks",
    "line_block",
    "trade_off_block",
    "trade_off_choice",
]

LOSSES = {
    "generator_loss": "Generator loss",
    "discriminator_loss": "Discriminator loss",
    "distillation_loss": "Distillation loss",
}

CURVES = LOSSES | {
    "real_logits": "Logits of real images",
    "fake_logits": "Logits of fakes",
    "generator_gradient_norm": "Norm of the generator's gradient",
    "discriminator_gradient_norm": "Norm of the discriminators' gradient",
    "pace/iterations_per_second": "Iterations a second",
    "pace/images_per_second": "Images a second",
}

# on a logarithmic axis, as they fall by orders of magnitude
BY_FACTORS = ("Distillation loss", "Norm of the generator's gradient", "Norm of the discriminators' gradient")

LATENCY = "latency in ms"


class Block(NamedTuple):
    """Chart with its title, a note, and its numbers as a table."""

    title: str
    spec: Spec
    numbers: Table
    note: str = ""


class Choice(NamedTuple):
    """Groups of blocks by name; a page shows one at a time."""

    label: str
    options: dict[str, list[Block]]


def line_block(
    title: str, points: Sequence[Point], names: Sequence[str], kind: str, few: bool, note: str = ""
) -> Block:
    """Return lines over iterations; the numbers of many points are ranges."""
    present = [name for name in names if any(point.name == name for point in points)]
    numbers = value_table(points, present, kind) if few else range_table(points, present, kind)
    is_log = title in BY_FACTORS and all(point.y > 0 for point in points)
    return Block(title, lines(points, names, title, kind, marks_points=few, is_log=is_log), numbers, note)


def range_table(points: Sequence[Point], names: Sequence[str], kind: str) -> Table:
    """Return the first, lowest, highest and last value of each line."""
    rows = []
    for name in names:
        values = [point.y for point in points if point.name == name]
        shown = (values[0], min(values), max(values), values[-1])
        rows.append([Cell(name), *(Cell(f"{value:.4g}") for value in shown)])
    return Table([kind, "first", "lowest", "highest", "last"], rows)


def value_table(points: Sequence[Point], names: Sequence[str], kind: str) -> Table:
    """Return each line's value at each iteration."""
    values = {(point.x, point.name): point.y for point in points}
    rows = [
        [Cell(f"{x:,.0f}"), *(Cell(f"{values[x, name]:.4g}" if (x, name) in values else "") for name in names)]
        for x in sorted({point.x for point in points})
    ]
    return Table(["iteration", *(f"{kind} {name}".strip() for name in names)], rows)


def curve_block(title: str, curves: Curves, names: Sequence[str]) -> Block:
    """Return the curves of a quantity, noting thinning and gaps."""
    kind = "" if None in curves.lines else "width"
    points = [Point(step, value, title if width is None else f"{width:g}") for step, width, value in curves.values()]
    said = []
    if len(curves.rows) < curves.logged:
        rows = curves.logged / len(curves.rows)
        said.append(f"Each point is the mean of about {rows:.1f} of {curves.logged:,} rows.")
    if curves.dropped:
        said.append(f"{curves.dropped:,} values that are not finite are left out.")
    return line_block(title, points, names if kind else [title], kind, few=False, note=" ".join(said))


def curve_blocks(log: Sequence[Mapping[str, float]], names: Sequence[str]) -> list[Block]:
    """Return the curves of training, with a line per width."""
    found = {title: curves_of(log, quantity) for quantity, title in CURVES.items()}
    return [curve_block(title, curves, names) for title, curves in found.items() if curves is not None]


def evaluation_blocks(history: Sequence[EvaluationResults], names: Sequence[str]) -> list[Block]:
    """Return curves of the metrics that were evaluated more than once.

    Evaluations whose metrics do not compare with the last are left out.
    """
    if not history:
        return []
    last, blocks = history[-1], []
    for column in last.columns:
        points = finite_points(
            (results.iteration, row.name, row.values.get(column.key))
            for results in history
            if is_same_evaluation(results, last, column.key)
            for row in results.rows
        )
        blocks.append((last.label(column.key), points, names, "width"))
    for column in BETWEEN:
        name = last.label(column.key)
        same = [results for results in history if is_same_evaluation(results, last, column.key)]
        points = finite_points((results.iteration, name, results.between.get(column.key)) for results in same)
        blocks.append((last.label(column.key, names_extractor=True), points, [name], ""))
    return [line_block(*block, few=True) for block in blocks if len({point.x for point in block[1]}) > 1]


def finite_points(values: Iterable[tuple[int | None, str, float | None]]) -> list[Point]:
    return [Point(x, y, name) for x, name, y in values if x is not None and y is not None and math.isfinite(y)]


def costs_of(results: EvaluationResults, latency: Timings | None) -> dict[str, tuple[dict[float, float], str]]:
    """Return costs by width and their number format, by axis title."""
    macs = {row.width: row.values["macs"] for row in results.rows if row.width is not None and "macs" in row.values}
    times = {} if latency is None else {width: 1000 * seconds for width, seconds in latency.seconds.items()}
    known = {"MACs per image": (macs, "~s"), LATENCY: (times, "~g")}
    return {name: cost for name, cost in known.items() if cost[0]}


def trade_off_choice(results: EvaluationResults, latency: Timings | None, names: Sequence[str], first: str) -> Choice:
    """Return metrics against costs, the metric ``first`` at the front."""
    options = {}
    for column in sorted(results.columns, key=lambda column: column.key != first):
        label = results.label(column.key)
        blocks = []
        for cost, (costs, form) in costs_of(results, latency).items():
            points = [Point(x, y, name, name) for name, x, y in cost_points(results, column.key, costs)]
            if len(points) > 1:
                blocks.append(trade_off_block(points, names, (cost, label), "width", form))
        if blocks:
            options[label] = blocks
    return Choice("Metric", options)


def cost_points(
    results: EvaluationResults, metric: str, costs: Mapping[float, float]
) -> Iterator[tuple[str, float, float]]:
    """Yield name, cost and metric of each width with a finite metric."""
    for row in results.rows:
        value = row.values.get(metric, math.nan)
        if row.width is not None and row.width in costs and math.isfinite(value):
            yield row.name, costs[row.width], value


def trade_off_block(
    points: Sequence[Point], names: Sequence[str], titles: tuple[str, str], kind: str, form: str, note: str = ""
) -> Block:
    """Return a metric against a cost, with a point per width."""
    head, rows = ["width", *titles], [[Cell(p.label), Cell(f"{p.x:,.4g}"), Cell(f"{p.y:.4g}")] for p in points]
    if kind == "run":
        head, rows = ["run", *head], [[Cell(p.name), *row] for p, row in zip(points, rows, strict=True)]
    spec = trade_off(points, names, titles, kind, form)
    return Block(spec["description"], spec, Table(head, rows), note)


def consistency_block(results: EvaluationResults) -> Block | None:
    """Return the distances between the widths' images, or None if unknown."""
    matrix = results.consistency
    if matrix is None:
        return None
    names = [row.name for row in results.rows]
    extractor = results.extractor_of("mic")
    name = f"Distance between widths{'' if extractor == 'inception' else f' ({extractor})'}"
    rows = [[Cell(row), *(Cell(f"{value:.3g}") for value in values)] for row, values in zip(names, matrix, strict=True)]
    note = "Mean squared distance of the features of two widths' images from the same latents; low is alike."
    return Block(name, heatmap(matrix, names, name), Table(["width", *names], rows), note)
