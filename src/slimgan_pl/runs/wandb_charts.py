"""What Weights & Biases shows of a run beside its curves: tables and charts of all widths together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import wandb
from wandb.plot.custom_chart import CustomChart

from slimgan_pl.evaluation.metrics.registry import LOWER_IS_BETTER
from slimgan_pl.evaluation.results import key_of
from slimgan_pl.evaluation.results_table import FIGURE_KEYS
from slimgan_pl.runs.curves import curves_of
from slimgan_pl.runs.loggers import ITERATION

__all__ = ["best_figures", "curve_charts", "trade_off", "widths_table"]

MAX_POINTS = 200  # of a line, so that the charts of a long run stay small

SIZES = {"width": "width", "parameters": "parameters", "macs": "MACs"}

LATENCY = "latency in ms"


def widths_table(results: Mapping[str, Any], latencies: Mapping[float, float]) -> wandb.Table:
    """Return a row per width with its size, its latency and its figures.

    Args:
        results: Of an evaluation.
        latencies: Seconds that one image takes, by width.
    """
    keys = [key for key in (key_of(figure, results) for figure in FIGURE_KEYS) if key in results["widths"][0]]
    sizes = {key: head for key, head in SIZES.items() if key in results["widths"][0]}
    rows = [
        [row[key] for key in sizes]
        + [1e3 * latencies[row["width"]] if row["width"] in latencies else None]
        + [row.get(key) for key in keys]
        for row in results["widths"]
    ]
    return wandb.Table(columns=[*sizes.values(), LATENCY, *keys], data=rows)


def trade_off(table: wandb.Table, results: Mapping[str, Any]) -> dict[str, CustomChart]:
    """Return charts of quality against cost, a point per width: against MACs, and against latency."""
    columns = list(table.columns)
    quality = next((key for key in (key_of(figure, results) for figure in FIGURE_KEYS) if key in columns), None)
    if quality is None:
        return {}
    costs = {"MACs": "quality_against_macs", LATENCY: "quality_against_latency"}
    return {
        key: wandb.plot.scatter(table, cost, quality, title=f"{quality} against {cost}")
        for cost, key in costs.items()
        if cost in columns and all(row[columns.index(cost)] is not None for row in table.data)
    }


def curve_charts(log: Sequence[Mapping[str, float]], names: Collection[str]) -> dict[str, CustomChart]:
    """Return a chart for each quantity, or figure of any extractor, with one of these names: a line per width.

    Args:
        log: Rows with ``step``, as ``read_metrics`` returns them.
        names: Such as ``generator_loss`` or ``fid``.
    """
    charts = {}
    for quantity in sorted({column.rpartition("/")[0] for row in log for column in row}):
        is_asked = quantity in names or (quantity.partition("_")[0] in names and "_std" not in quantity)
        curves = curves_of(log, quantity, MAX_POINTS) if is_asked else None
        if curves is not None:
            points = list(curves.values())
            lines = [[(step, value) for step, of, value in points if of == width] for width in curves.lines]
            charts[f"widths/{quantity}"] = wandb.plot.line_series(
                [[step for step, _ in line] for line in lines],
                [[value for _, value in line] for line in lines],
                keys=[f"width {width:g}" for width in curves.lines],
                title=quantity.replace("_", " "),
                xname=ITERATION,
            )
    return charts


def best_figures(evaluations: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the best of each figure over evaluations by one protocol, as ``best/fid/0.5``."""
    best: dict[str, float] = {}
    for results in evaluations:
        keys = [key_of(name, results) for name in FIGURE_KEYS]
        named = {key_of("mic", results): results.get(key_of("mic", results))}
        for row in results["widths"]:
            named |= {f"{key}/{row['width']:g}": row.get(key) for key in keys}
        for key, value in named.items():
            if value is not None:
                choose = min if key.startswith(LOWER_IS_BETTER) else max
                best[f"best/{key}"] = choose(value, best.get(f"best/{key}", value))
    return best
