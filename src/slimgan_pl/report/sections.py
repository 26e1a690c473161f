"""All that a page shows of one run."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from slimgan_pl.callbacks.table import caption
from slimgan_pl.curves import curves_of, split_column
from slimgan_pl.report.blocks import (
    Block,
    Choice,
    consistency_block,
    curve_blocks,
    evaluation_blocks,
    pace_blocks,
    trade_off_choice,
)
from slimgan_pl.report.drawing import Drawn
from slimgan_pl.report.facts import facts_of, stamps_of
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.tables import Table, width_table

__all__ = ["Section", "all_widths", "make_section"]


class Section(NamedTuple):
    """What the page shows of a run."""

    run: RunFiles
    drawn: Drawn
    facts: dict[str, str]
    widths: Table
    remarks: list[str]
    trade_off: Choice | None
    consistency: Block | None
    evaluations: list[Block]
    curves: list[Block]
    pace: list[Block]
    stamps: dict[str, str]


def make_section(run: RunFiles, drawn: Drawn, names: Sequence[str], metric: str) -> Section:
    """Return what the page shows of a run.

    Args:
        run: Its files.
        drawn: What was drawn of it.
        names: Of all widths on the page.
        metric: The figure that comes first.
    """
    results = run.results
    return Section(
        run,
        drawn,
        facts_of(run),
        width_table(widths_of(run, drawn), results, drawn),
        remarks_on(results, drawn),
        None if results is None else trade_off_choice(results, drawn.latency, names, metric),
        None if results is None else consistency_block(results),
        evaluation_blocks(run.history, names),
        curve_blocks(run.metrics, names),
        pace_blocks(run.metrics),
        stamps_of(run),
    )


def widths_of(run: RunFiles, drawn: Drawn) -> list[float]:
    """Return the widths that a run was judged at, or that it has."""
    if run.results is not None:
        return [row["width"] for row in run.results["widths"]]
    if drawn.parameters:
        return sorted(drawn.parameters)
    curves = curves_of(run.metrics, "generator_loss")
    return [] if curves is None else [width for width in curves.lines if width is not None]


def all_widths(run: RunFiles, drawn: Drawn) -> set[float]:
    """Return all widths that anything of a run is of."""
    of_results = [row["width"] for results in run.history for row in results["widths"]]
    columns = {column for row in run.metrics for column in row}
    of_curves = [of[1] for of in map(split_column, columns) if of is not None]
    return {*of_results, *drawn.parameters, *of_curves}


def remarks_on(results: dict[str, Any] | None, drawn: Drawn) -> list[str]:
    """Return what is to be said of the table of widths."""
    times = [] if drawn.latency is None else [f"Latency: {drawn.latency.how}."]
    if results is None:
        return times
    said = (caption(results) or "").splitlines()
    return ["The best of each figure is bold.", *(f"{line[0].upper()}{line[1:]}." for line in said), *times]
