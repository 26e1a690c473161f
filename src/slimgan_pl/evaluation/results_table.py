"""Results of an evaluation as a table for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from slimgan_pl.evaluation.metrics.metric import Column
from slimgan_pl.evaluation.metrics.registry import BETWEEN
from slimgan_pl.evaluation.results import EvaluationResults, Row
from slimgan_pl.evaluation.results_json import SIZES, STD, is_finite
from slimgan_pl.utils.formatting import compact

__all__ = ["caption", "cell", "change", "headline", "results_table"]

FEW = 5_000  # images of one side, below which the Fréchet distance is mostly bias

UNLIKE = 2  # times as many images on the other side


def results_table(results: EvaluationResults, earlier: EvaluationResults | None = None) -> Table:
    """Return a table with a row per width, usually in 80 characters.

    Args:
        results: The results.
        earlier: Results by the same protocol; below each row are the changes since.
    """
    real = Row(None, results.real, {})
    has_sizes = any("macs" in row.values for row in results.rows)
    columns = results.columns
    table = Table(
        title=headline(results), caption=caption(results, earlier), box=SIMPLE_HEAD, pad_edge=False, padding=0
    )
    heads = ["width", *(["params", "MACs"] if has_sizes else []), *(head(column, results) for column in columns)]
    for text in heads:
        table.add_column(text, justify="right", no_wrap=True)
    for name, row in [*((row.name, row) for row in results.rows), ("real", real)]:
        sizes = [compact(int(row.values[key])) if key in row.values else "" for key in SIZES] if has_sizes else []
        table.add_row(name, *sizes, *(cell(column, row, results) for column in columns))
        before = None if earlier is None or row is real else earlier.row(row.width)
        if before is not None:
            table.add_row("", *("" for _ in sizes), *(change(column, row, before) for column in columns))
    return table


def change(column: Column, row: Row, before: Row) -> Text:
    """Return the change of a metric: green for better, red for worse."""
    if column.key not in row.values or column.key not in before.values:
        return Text("")
    difference = row.values[column.key] - before.values[column.key]
    text = f"{difference:+.0f}" if abs(difference) >= 100 else f"{difference:{'+.2g' if column.is_named else '+.2f'}}"
    colour = "green" if column.is_improvement(difference) else "red"
    return Text(text, style=colour if difference else "dim")


def head(column: Column, results: EvaluationResults) -> str:
    """Return the head of a column, with the extractor's name if needed."""
    extractor = results.extractor_of(column.key)
    title = f"{column.head}\n{column.arrow}" if column.head else f"{column.title} {column.arrow}"
    return f"{title}\n({extractor})" if column.is_named and extractor != "inception" else title


def cell(column: Column, row: Row, results: EvaluationResults) -> str:
    """Return a metric and its deviation over seeds or splits."""
    if column.key not in row.values:
        return ""
    text = column.format.format(row.values[column.key])
    if results.num_seeds > 1:
        std = row.deviation.get(column.key, 0.0)
    else:
        std = row.values.get(column.key + STD, 0.0) if column.shows_std else 0.0
    return f"{text} ±{std:.2g}" if std and column.is_named else text


def headline(results: EvaluationResults) -> str:
    """Return a sentence about the numbers of images."""
    protocol = results.protocol
    subject, per_width = f"Iteration {results.iteration}", "fakes per width"
    if results.images is not None:
        subject, per_width = results.images, "images"
    counts = f"{protocol['num_fake']:,} {per_width} against {protocol['num_real']:,} {protocol['real_split']} images"
    if protocol["num_score"] != protocol["num_fake"]:
        counts += f", score on {protocol['num_score']:,}"
    return f"{subject}: {counts}"


def caption(results: EvaluationResults, earlier: EvaluationResults | None = None) -> str | None:
    """Return what the numbers mean, and metrics between widths."""
    splits, lines = results.protocol["splits"], describe_bias(results)
    if results.weights == "averaged":
        lines.append("of averaged weights; --weights raw evaluates the others")
    elif results.skips_average:
        lines.append("of raw weights; without --weights raw the averaged ones are evaluated")
    if results.num_seeds > 1:
        lines.append(f"mean ± standard deviation over {results.num_seeds} seeds of the latents")
    elif splits > 1 and any(column.shows_std for column in results.columns):
        lines.append(f"± over {splits} splits")
    if results.between:
        lines.append(f"between widths: {', '.join(between_texts(results))}")
    if earlier is not None:
        lines.append(f"+ and -: change since iteration {earlier.iteration}{between_changes(results, earlier.between)}")
    return "\n".join(lines) or None


def describe_bias(results: EvaluationResults) -> list[str]:
    """Return a line about the bias of few or unlike images."""
    names = {column.key: column.title for column in results.columns}
    counts: list[Any] = [results.protocol.get(key) for key in ("num_real", "num_fake")]
    if "fid" not in names or not all(map(is_finite, counts)):
        return []
    few, many = sorted(counts)
    if few >= FEW and many < UNLIKE * few:
        return []
    if few >= FEW:
        return ["unlike numbers of images: FID compares at these numbers alone"]
    return [f"few images: a low FID is mostly bias{', KID has none' if 'kid' in names else ''}"]


def between_texts(results: EvaluationResults) -> list[str]:
    """Return each metric between widths with its name and arrow."""
    return [
        f"{results.label(column.key) if column.is_named else column.title} "
        f"{column.format.format(results.between[column.key])} {column.arrow}"
        for column in BETWEEN
        if column.key in results.between
    ]


def between_changes(results: EvaluationResults, earlier: Mapping[str, float]) -> str:
    """Return the changes of the named metrics between widths."""
    pairs = {c.title: (results.between.get(c.key), earlier.get(c.key)) for c in BETWEEN if c.is_named}
    return "".join(
        f", of {title} {now - before:+.2g}"
        for title, (now, before) in pairs.items()
        if now is not None and before is not None
    )
