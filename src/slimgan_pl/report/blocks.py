"""The figures of a run: charts with their words and their numbers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from slimgan_pl.evaluation.results import consistency_of, judge_of, key_of
from slimgan_pl.evaluation.results_table import figure_name, figures_in, title
from slimgan_pl.report.charts import Point, Spec, heatmap, lines, trade_off
from slimgan_pl.report.tables import Cell, Table
from slimgan_pl.report.timings import Timings
from slimgan_pl.runs.curves import Curves, curves_of

__all__ = [
    "LATENCY",
    "LOSSES",
    "Block",
    "Choice",
    "consistency_block",
    "costs_of",
    "curve_blocks",
    "evaluation_blocks",
    "line_block",
    "pace_blocks",
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
}

BY_FACTORS = (  # quantities that go down by orders of magnitude
    "Distillation loss",
    "Norm of the generator's gradient",
    "Norm of the discriminators' gradient",
)

PACE = {"pace/iterations_per_second": "Iterations a second", "pace/images_per_second": "Images a second"}

LATENCY = "latency in ms"

BETWEEN_WIDTHS = {"mic": "mIC", "agreement": "Same class from a latent"}


class Block(NamedTuple):
    """A chart, its title, what is to be said of it, and its numbers for those who cannot see it."""

    title: str
    spec: Spec
    numbers: Table
    note: str = ""


class Choice(NamedTuple):
    """Blocks of which those of one name are shown at a time."""

    label: str
    options: dict[str, list[Block]]


def line_block(
    title: str, points: Sequence[Point], names: Sequence[str], kind: str, few: bool, note: str = ""
) -> Block:
    """Return lines over iterations; the numbers of few points are all of them, else the range of each line."""
    present = [name for name in names if any(point.name == name for point in points)]
    numbers = value_table(points, present, kind) if few else range_table(points, present, kind)
    is_log = title in BY_FACTORS and all(point.y > 0 for point in points)
    return Block(title, lines(points, names, title, kind, marks_points=few, is_log=is_log), numbers, note)


def range_table(points: Sequence[Point], names: Sequence[str], kind: str) -> Table:
    """Return where each line begins and ends and how far it goes."""
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
    """Return the curves of a quantity with what was done to them."""
    kind = "" if None in curves.lines else "width"
    points = [Point(step, value, title if width is None else f"{width:g}") for step, width, value in curves.values()]
    said = []
    if len(curves.rows) < curves.logged:
        said.append(
            f"Each point is the mean of about {curves.logged / len(curves.rows):.1f} of {curves.logged:,} rows."
        )
    if curves.dropped:
        said.append(f"{curves.dropped:,} values that are not finite are left out.")
    return line_block(title, points, names if kind else [title], kind, few=False, note=" ".join(said))


def curve_blocks(log: Sequence[Mapping[str, float]], names: Sequence[str]) -> list[Block]:
    """Return the curves of the training, a line per width."""
    found = {title: curves_of(log, quantity) for quantity, title in CURVES.items()}
    return [curve_block(title, curves, names) for title, curves in found.items() if curves is not None]


def pace_blocks(log: Sequence[Mapping[str, float]]) -> list[Block]:
    """Return how fast the training went."""
    found = {title: curves_of(log, quantity) for quantity, title in PACE.items()}
    return [curve_block(title, curves, []) for title, curves in found.items() if curves is not None]


def evaluation_blocks(history: Sequence[dict[str, Any]], names: Sequence[str]) -> list[Block]:
    """Return the figures of all evaluations by the net that judged last, where there is more than one."""
    blocks = []
    for column in figures_in(history[-1]) if history else []:
        key = key_of(column.key, history[-1])
        values = ((results["iteration"], f"{row['width']:g}", row.get(key)) for results, row in rows_of(history))
        points = finite_points(values)
        if len({point.x for point in points}) > 1:
            blocks.append(line_block(figure_name(column, history[-1]), points, names, "width", few=True))
    for figure, name in BETWEEN_WIDTHS.items() if history else []:
        key, judge = key_of(figure, history[-1]), judge_of(figure, history[-1])
        points = finite_points((results["iteration"], name, results.get(key)) for results in history)
        if len({point.x for point in points}) > 1:
            blocks.append(line_block(title(name, judge), points, [name], "", few=True))
    return blocks


def rows_of(history: Sequence[dict[str, Any]]) -> Iterable[tuple[dict[str, Any], dict[str, float]]]:
    return ((results, row) for results in history for row in results["widths"])


def finite_points(values: Iterable[tuple[int | None, str, float | None]]) -> list[Point]:
    return [Point(x, y, name) for x, name, y in values if x is not None and y is not None and math.isfinite(y)]


def costs_of(results: Mapping[str, Any], latency: Timings | None) -> dict[str, tuple[dict[float, float], str]]:
    """Return what a width may cost, by the title of its axis: the cost per width, and how it is written."""
    macs = {row["width"]: row["macs"] for row in results["widths"] if "macs" in row}
    times = {} if latency is None else {width: 1000 * seconds for width, seconds in latency.seconds.items()}
    known = {"MACs per image": (macs, "~s"), LATENCY: (times, "~g")}
    return {name: cost for name, cost in known.items() if cost[0]}


def trade_off_choice(results: dict[str, Any], latency: Timings | None, names: Sequence[str], first: str) -> Choice:
    """Return figures against costs; the figure of a name comes first."""
    options = {}
    for column in sorted(figures_in(results), key=lambda column: column.key != first):
        figure, key = figure_name(column, results), key_of(column.key, results)
        blocks = []
        for cost, (values, form) in costs_of(results, latency).items():
            points = [
                Point(values[row["width"]], row[key], f"{row['width']:g}", f"{row['width']:g}")
                for row in results["widths"]
                if row["width"] in values and math.isfinite(row.get(key, math.nan))
            ]
            if len(points) > 1:
                blocks.append(trade_off_block(points, names, (cost, figure), form))
        if blocks:
            options[figure] = blocks
    return Choice("Figure", options)


def trade_off_block(points: Sequence[Point], names: Sequence[str], titles: tuple[str, str], form: str) -> Block:
    """Return a point per width."""
    name = f"{titles[1]} against {titles[0]}"
    rows = [[Cell(point.name), Cell(f"{point.x:,.4g}"), Cell(f"{point.y:.4g}")] for point in points]
    return Block(name, trade_off(points, names, titles, "width", form, name), Table(["width", *titles], rows))


def consistency_block(results: Mapping[str, Any]) -> Block | None:
    """Return how far the widths' images lie apart, if that is known."""
    matrix = consistency_of(results)
    if matrix is None:
        return None
    names = [f"{row['width']:g}" for row in results["widths"]]
    name = title("Distance between widths", judge_of("mic", results))
    rows = [[Cell(row), *(Cell(f"{value:.3g}") for value in values)] for row, values in zip(names, matrix, strict=True)]
    note = "Mean squared distance of the features of two widths' images from the same latents; low is alike."
    return Block(name, heatmap(matrix, names, name), Table(["width", *names], rows), note)
