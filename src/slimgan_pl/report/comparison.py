"""Comparison of several runs on a page."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.report.blocks import LATENCY, LOSSES, Block, Choice, cost_points, costs_of, line_block, trade_off_block
from slimgan_pl.report.charts import Point
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.summary import RunSummary
from slimgan_pl.report.tables import Cell, Table
from slimgan_pl.runs.comparison import differences, lines, make_run, name_evaluations
from slimgan_pl.runs.curves import curves_of
from slimgan_pl.runs.settings import compare_settings, run_settings

__all__ = ["Comparison", "compare_runs"]

BEST = " *"

ROUGH = "Measured shortly, run after run: small differences between runs mean nothing. slimgan profile measures better."

MOST_POINTS = 200  # points of a line; there is a line per run and width


class Comparison(NamedTuple):
    """Tables, charts and settings of several runs.

    Attributes:
        notes: Reasons why metrics do not compare.
        tables: Runs and widths, a table for each evaluation.
        trade_offs: Metrics of all runs against costs.
        curves: Curves of all runs, by width.
        settings: Differences from the first run, for each of the others that has settings.
        reference: The name of the first run.
    """

    notes: list[str]
    tables: dict[str, Table]
    trade_offs: list[Block]
    curves: Choice
    settings: dict[str, list[str]]
    reference: str


Evaluated = tuple[RunFiles, RunSummary, EvaluationResults]


def compare_runs(runs: Sequence[RunFiles], summaries: Sequence[RunSummary], metric: str) -> Comparison:
    """Compare runs by a metric."""
    names = [run.name for run in runs]
    evaluated = [(r, s, r.results) for r, s in zip(runs, summaries, strict=True) if r.results is not None]
    held = [each for each in evaluated if any(column.key == metric for column in each[2].columns)]
    groups: dict[str, list[Evaluated]] = {}
    for name, each in zip(name_evaluations([results for *_, results in held], metric), held, strict=True):
        groups.setdefault(name, []).append(each)
    return Comparison(
        find_notes([results for *_, results in held], metric),
        {name: run_table(group, metric) for name, group in groups.items()},
        [block for name, group in groups.items() for block in trade_off_blocks(name, group, metric, names)],
        curve_choice(runs, metric),
        find_changed_settings(runs),
        names[0],
    )


def find_notes(results: Sequence[EvaluationResults], metric: str) -> list[str]:
    """Return at most one sentence about what does not compare."""
    found, end = differences(results, metric), "such metrics do not compare"
    labels = list(dict.fromkeys(each.label(metric, names_extractor=True) for each in results))
    if len(labels) > 1:
        found.append(f"these runs were evaluated with different nets: {', '.join(labels)}")
        end = "each has a table of its own"
    note = f"{', '.join(found)}; {end}."
    return [f"{note[0].upper()}{note[1:]}"] if found else []


def run_table(group: Sequence[Evaluated], metric: str) -> Table:
    """Return the table of ``slimgan compare``."""
    rows = [make_run(run.name, results, metric) for run, _, results in group]
    head, *body = lines(rows, metric, f"{{:.4g}}{BEST}")
    return Table(head, [[Cell(text.removesuffix(BEST), text.endswith(BEST)) for text in row] for row in body])


def trade_off_blocks(label: str, group: Sequence[Evaluated], metric: str, names: Sequence[str]) -> list[Block]:
    """Return a chart of all runs for each cost."""
    points: dict[tuple[str, str], list[Point]] = {}
    for run, summary, results in group:
        for cost, (costs, form) in costs_of(results, summary.latency).items():
            for width, x, y in cost_points(results, metric, costs):
                points.setdefault((cost, form), []).append(Point(x, y, run.name, width))
    blocks = []
    for (cost, form), found in points.items():
        is_rough = cost == LATENCY and any(s.latency is not None and s.latency.is_rough for _, s, _ in group)
        blocks.append(trade_off_block(found, names, (cost, label), "run", form, ROUGH if is_rough else ""))
    return blocks


def curve_choice(runs: Sequence[RunFiles], metric: str) -> Choice:
    """Return the metric and the losses of all runs, by width."""
    names = [run.name for run in runs]
    found: dict[float, list[Block]] = {}
    for label, points in evaluation_points(runs, metric).items():
        for width, those in sorted(points.items()):
            if len({point.x for point in those}) > 1:
                found.setdefault(width, []).append(line_block(label, those, names, "run", few=True))
    for quantity, title in LOSSES.items():
        for width, those in loss_points(runs, quantity).items():
            found.setdefault(width, []).append(line_block(title, those, names, "run", few=False))
    return Choice("Width", {f"{width:g}": found[width] for width in sorted(found, reverse=True)})


def evaluation_points(runs: Sequence[RunFiles], metric: str) -> dict[str, dict[float, list[Point]]]:
    """Return the values of a metric by evaluation and width."""
    found: dict[str, dict[float, list[Point]]] = {}
    pairs = [(run, results) for run in runs for results in run.history]
    names = name_evaluations([results for _, results in pairs], metric)
    for name, (run, results) in zip(names, pairs, strict=True):
        for row in results.rows:
            value = row.values.get(metric, math.nan)
            if results.iteration is not None and row.width is not None and math.isfinite(value):
                found.setdefault(name, {}).setdefault(row.width, []).append(Point(results.iteration, value, run.name))
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


def find_changed_settings(runs: Sequence[RunFiles]) -> dict[str, list[str]]:
    """Return the differences from the settings of the first run."""
    plain = [run_settings(run.settings) for run in runs]
    others = list(zip(runs, plain, strict=True))[1:]
    return {run.name: compare_settings(plain[0], settings) for run, settings in others if plain[0] and settings}
