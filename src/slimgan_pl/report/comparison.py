"""Several runs beside each other."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from slimgan_pl.evaluation.results import key_of
from slimgan_pl.evaluation.results_table import FIGURES, Column, judged_name
from slimgan_pl.report.blocks import LATENCY, LOSSES, Block, Choice, costs_of, line_block
from slimgan_pl.report.charts import Point, trade_off
from slimgan_pl.report.drawing import Drawn
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.tables import Cell, Table
from slimgan_pl.runs.comparison import differences, lines, make_run
from slimgan_pl.runs.curves import curves_of
from slimgan_pl.runs.settings import compare_settings, run_settings

__all__ = ["Comparison", "compare_runs"]

BEST = " *"

ROUGH = "Measured shortly, run after run: small differences between runs mean nothing. slimgan profile measures better."

MOST_POINTS = 200  # of a line; there is one per run and width


class Comparison(NamedTuple):
    """What several runs have in common and what not.

    Attributes:
        notes: Why figures do not compare.
        tables: Runs and widths, a table for each net that judged.
        trade_offs: Figures of all runs against costs.
        curves: Curves of all runs, by width.
        settings: What differs from the first run, for each of the others that has settings.
        reference: The name of the first run.
    """

    notes: list[str]
    tables: dict[str, Table]
    trade_offs: list[Block]
    curves: Choice
    settings: dict[str, list[str]]
    reference: str


def compare_runs(runs: Sequence[RunFiles], drawn: Sequence[Drawn], metric: str) -> Comparison:
    """Compare runs by a figure."""
    judged = [(run, pictures) for run, pictures in zip(runs, drawn, strict=True) if run.results is not None]
    column = next(column for column in FIGURES if column.key == metric)
    names = [run.name for run in runs]
    groups: dict[str, list[tuple[RunFiles, Drawn, dict[str, Any]]]] = {}
    for run, pictures in judged:
        if run.results is not None and any(key_of(metric, run.results) in row for row in run.results["widths"]):
            groups.setdefault(judged_name(column, run.results), []).append((run, pictures, run.results))
    notes = differences([run.results for run, _ in judged if run.results is not None])
    if len(groups) > 1:
        notes.append(f"these runs were judged by different nets: {', '.join(groups)}; each has a table of its own")
    return Comparison(
        [f"{note[0].upper()}{note[1:]}." for note in notes],
        {name: run_table(group, metric) for name, group in groups.items()},
        [block for name, group in groups.items() for block in trade_off_blocks(name, group, metric, names)],
        curve_choice(runs, column),
        changed_settings(runs),
        names[0],
    )


def run_table(group: Sequence[tuple[RunFiles, Drawn, dict[str, Any]]], metric: str) -> Table:
    """Return the table of ``slimgan compare``."""
    rows = [make_run(run.name, results, key_of(metric, results)) for run, _, results in group]
    widths = sorted({width for row in rows for width in row.figures})
    head, *body = lines(rows, widths, metric, f"{{:.4g}}{BEST}")
    return Table(head, [[Cell(text.removesuffix(BEST), text.endswith(BEST)) for text in row] for row in body])


def trade_off_blocks(
    figure: str, group: Sequence[tuple[RunFiles, Drawn, dict[str, Any]]], metric: str, names: Sequence[str]
) -> list[Block]:
    """Return all runs in one chart for each cost."""
    points: dict[tuple[str, str], list[Point]] = {}
    for run, pictures, results in group:
        for cost, (values, form) in costs_of(results, pictures.latency).items():
            for row in results["widths"]:
                value = row.get(key_of(metric, results), math.nan)
                if row["width"] in values and math.isfinite(value):
                    point = Point(values[row["width"]], value, run.name, f"{row['width']:g}")
                    points.setdefault((cost, form), []).append(point)
    blocks = []
    for (cost, form), found in points.items():
        name = f"{figure} against {cost}"
        rows = [[Cell(p.name), Cell(p.label), Cell(f"{p.x:,.4g}"), Cell(f"{p.y:.4g}")] for p in found]
        spec = trade_off(found, names, (cost, figure), "run", form, name)
        is_rough = cost == LATENCY and any(d.latency is not None and d.latency.is_rough for _, d, _ in group)
        blocks.append(Block(name, spec, Table(["run", "width", cost, figure], rows), ROUGH if is_rough else ""))
    return blocks


def curve_choice(runs: Sequence[RunFiles], column: Column) -> Choice:
    """Return the curves of all runs for each width: the figure over evaluations, and the losses."""
    names = [run.name for run in runs]
    found: dict[float, list[Block]] = {}
    for figure, points in evaluation_points(runs, column).items():
        for width, those in sorted(points.items()):
            if len({point.x for point in those}) > 1:
                found.setdefault(width, []).append(line_block(figure, those, names, "run", few=True))
    for quantity, title in LOSSES.items():
        for width, those in loss_points(runs, quantity).items():
            found.setdefault(width, []).append(line_block(title, those, names, "run", few=False))
    return Choice("Width", {f"{width:g}": found[width] for width in sorted(found, reverse=True)})


def evaluation_points(runs: Sequence[RunFiles], column: Column) -> dict[str, dict[float, list[Point]]]:
    """Return a figure's values by its name, which says who judged, and by width."""
    found: dict[str, dict[float, list[Point]]] = {}
    for run in runs:
        for results in run.history:
            for row in results["widths"]:
                value = row.get(key_of(column.key, results), math.nan)
                if results["iteration"] is not None and math.isfinite(value):
                    widths = found.setdefault(judged_name(column, results), {})
                    widths.setdefault(row["width"], []).append(Point(results["iteration"], value, run.name))
    return found


def loss_points(runs: Sequence[RunFiles], quantity: str) -> dict[float, list[Point]]:
    """Return the values of a loss by width."""
    found: dict[float, list[Point]] = {}
    for run in runs:
        curves = curves_of(run.metrics, quantity, MOST_POINTS)
        for step, width, value in [] if curves is None else curves.values():
            if width is not None:
                found.setdefault(width, []).append(Point(step, value, run.name))
    return found


def changed_settings(runs: Sequence[RunFiles]) -> dict[str, list[str]]:
    """Return what differs from the settings of the first run."""
    plain = [run_settings(run.settings) for run in runs]
    others = list(zip(runs, plain, strict=True))[1:]
    return {run.name: compare_settings(plain[0], settings) for run, settings in others if plain[0] and settings}
