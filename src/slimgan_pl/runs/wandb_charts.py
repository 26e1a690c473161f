"""Tables and charts of all widths together, for Weights & Biases."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import wandb
from wandb.plot.custom_chart import CustomChart

from slimgan_pl.evaluation.metrics.registry import BETWEEN, COLUMNS
from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.runs.curves import curves_of
from slimgan_pl.runs.loggers import ITERATION

__all__ = ["best_metrics", "curve_charts", "trade_off", "widths_table"]

MAX_POINTS = 200  # of a line, so that the charts of a long run stay small

SIZES = {"parameters": "parameters", "macs": "MACs"}

LATENCY = "latency in ms"


def widths_table(results: EvaluationResults, latencies: Mapping[float, float]) -> wandb.Table:
    """Return a row per width: size, latency and metrics.

    ``latencies`` are in seconds per image, by width.
    """
    metrics = [column.key for column in results.columns]
    sizes = {key: head for key, head in SIZES.items() if key in results.rows[0].values}
    rows: list[list[float | None]] = []
    for row in results.rows:
        seconds = latencies.get(row.width or 1.0)
        latency = None if seconds is None else 1e3 * seconds
        rows.append([row.width, *map(row.values.get, sizes), latency, *map(row.values.get, metrics)])
    keys = [results.key(metric) for metric in metrics]
    return wandb.Table(columns=["width", *sizes.values(), LATENCY, *keys], data=rows)


def trade_off(table: wandb.Table, results: EvaluationResults) -> dict[str, CustomChart]:
    """Return charts of quality against MACs and latency, a point per width."""
    columns = list(table.columns)
    quality = next((results.key(column.key) for column in results.columns), None)
    if quality is None:
        return {}
    costs = {"MACs": "quality_against_macs", LATENCY: "quality_against_latency"}
    return {
        key: wandb.plot.scatter(table, cost, quality, title=f"{quality} against {cost}")
        for cost, key in costs.items()
        if cost in columns and all(row[columns.index(cost)] is not None for row in table.data)
    }


def curve_charts(log: Sequence[Mapping[str, float]], names: Collection[str]) -> dict[str, CustomChart]:
    """Return a chart per quantity, with a line per width.

    ``names`` are quantities such as ``generator_loss``, and metrics of any extractor such as ``fid``.
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


def best_metrics(evaluations: Iterable[EvaluationResults]) -> dict[str, float]:
    """Return each metric's best over comparable evaluations, as ``best/fid/0.5``."""
    best: dict[str, float] = {}
    for results in evaluations:
        for column in (*COLUMNS, *(column for column in BETWEEN if column.is_named)):
            key = f"best/{results.key(column.key)}"
            found = {f"{key}/{row.name}": row.values.get(column.key) for row in results.rows}
            for name, value in {**found, key: results.between.get(column.key)}.items():
                if value is not None:
                    best[name] = column.best([value, best.get(name, value)])
    return best
