"""The figures of an evaluation as a table for the terminal."""

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from slimgan_pl.evaluation.metrics import LOWER_IS_BETTER
from slimgan_pl.evaluation.results import judge_of, key_of
from slimgan_pl.utils.formatting import compact

__all__ = [
    "FIGURES",
    "FIGURE_KEYS",
    "TITLES",
    "Column",
    "caption",
    "cell",
    "change",
    "figure_name",
    "figures_in",
    "headline",
    "judged_name",
    "results_table",
    "title",
]

TITLES = {"fid": "FID", "kid": "KID", "is": "IS"}


class Column(NamedTuple):
    """A column: its head, the figure it shows, how, and whether its name stands for Inception alone."""

    head: str
    key: str
    form: str = "{:.2f}"
    is_named: bool = False


FIGURES = (
    Column("FID ↓", "fid", "{:.4g}", is_named=True),
    Column("KID ↓", "kid", "{:.3g}", is_named=True),
    Column("IS ↑", "is", "{:.4g}", is_named=True),
    Column("prec.\n↑", "precision"),
    Column("recall\n↑", "recall"),
    Column("dens.\n↑", "density"),
    Column("cov.\n↑", "coverage"),
)

FIGURE_KEYS = tuple(column.key for column in FIGURES)


def results_table(results: dict[str, Any], earlier: dict[str, Any] | None = None) -> Table:
    """Return a table with a row per width, in 80 characters unless the extractor's name is long.

    Args:
        results: What ``Evaluator.judge`` returned, with the iteration.
        earlier: Results by the same protocol; below each row are the changes since.
    """
    rows = [*results["widths"], {"width": "real", **results["real"]}]
    deviations = results.get("deviation", {}).get("widths", [])
    columns = [column for column in FIGURES if any(key_of(column.key, results) in row for row in rows)]
    table = Table(
        title=headline(results), caption=caption(results, earlier), box=SIMPLE_HEAD, pad_edge=False, padding=0
    )
    heads = ["width", *(["params", "MACs"] if "macs" in rows[0] else [])]
    for head in heads + [named(column, judge_of(column.key, results)) for column in columns]:
        table.add_column(head, justify="right", no_wrap=True)
    pairs: Iterable[tuple[dict[str, Any], dict[str, Any]]] = zip_longest(rows, deviations, fillvalue={})
    for row, deviation in pairs:
        size = [compact(row.get("parameters")), compact(row.get("macs"))] if "macs" in rows[0] else []
        table.add_row(name_of(row["width"]), *size, *(cell(column, row, deviation, results) for column in columns))
        before = {} if earlier is None else row_of(row["width"], earlier)
        if before:
            table.add_row("", *("" for _ in size), *(change(column, row, before, results) for column in columns))
    return table


def row_of(width: float | str | None, results: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a width, or nothing."""
    return next((row for row in results["widths"] if row["width"] == width), {})


def change(column: Column, row: dict[str, Any], before: dict[str, Any], results: dict[str, Any]) -> Text:
    """Return how a figure has changed, green where it is better and red where it is worse."""
    key = key_of(column.key, results)
    if key not in row or key not in before:
        return Text("")
    difference = row[key] - before[key]
    text = f"{difference:+.0f}" if abs(difference) >= 100 else f"{difference:{'+.2g' if column.is_named else '+.2f'}}"
    is_better = (difference < 0) == (column.key in LOWER_IS_BETTER)
    return Text(text, style="dim" if difference == 0 else "green" if is_better else "red")


def named(column: Column, extractor: str) -> str:
    """Return a column's head; another extractor than Inception is always named."""
    return f"{column.head}\n({extractor})" if column.is_named and extractor != "inception" else column.head


def name_of(width: float | str | None) -> str:
    """Return what the first cell of a row says."""
    if width is None:
        return "images"
    return width if isinstance(width, str) else f"{width:g}"


def cell(column: Column, row: dict[str, Any], deviation: dict[str, float], results: dict[str, Any]) -> str:
    """Return a figure, with its deviation over seeds, or over the splits of the score."""
    key = key_of(column.key, results)
    if key not in row:
        return ""
    text = column.form.format(row[key])
    if len(results["protocol"]["seeds"]) > 1:
        spread = deviation.get(key, 0.0)
    else:
        spread = row.get(key_of("is_std", results), 0.0) if column.key == "is" else 0.0
    return f"{text} ±{spread:.2g}" if spread and column.is_named else text


def headline(results: dict[str, Any]) -> str:
    """Return what was judged against what."""
    protocol = results["protocol"]
    judged = f"{results['images']}: " if "images" in results else f"Iteration {results['iteration']}: "
    per_width = "images" if "images" in results else "fakes per width"
    text = (
        f"{judged}{protocol['num_fake']:,} {per_width} against {protocol['num_real']:,} {protocol['real_split']} images"
    )
    if protocol["num_score"] != protocol["num_fake"]:
        text += f", score on {protocol['num_score']:,}"
    return text


def caption(results: dict[str, Any], earlier: dict[str, Any] | None = None) -> str | None:
    """Return what ± and the second lines mean, and how alike the widths are."""
    seeds, splits = len(results["protocol"]["seeds"]), results["protocol"]["splits"]
    lines = []
    if seeds > 1:
        lines.append(f"mean ± standard deviation over {seeds} seeds of the latents")
    elif splits > 1 and key_of("is", results) in results["widths"][0]:
        lines.append(f"± over {splits} splits")
    mic, agreement = key_of("mic", results), key_of("agreement", results)
    if mic in results:
        text = f"between widths: {title('mIC', judge_of('mic', results))} {results[mic]:.4g} ↓"
        if agreement in results:
            text += f", same class from a latent {results[agreement]:.1%} ↑"
        lines.append(text)
    if earlier is not None:
        of_mic = f", of mIC {results[mic] - earlier[mic]:+.2g}" if mic in results and mic in earlier else ""
        lines.append(f"+ and -: change since iteration {earlier['iteration']}{of_mic}")
    return "\n".join(lines) or None


def title(figure: str, extractor: str) -> str:
    """Return a figure's name; another extractor than Inception is always named."""
    return figure if extractor == "inception" else f"{figure} ({extractor})"


def figures_in(results: Mapping[str, Any]) -> list[Column]:
    """Return the figures that results hold."""
    return [column for column in FIGURES if any(key_of(column.key, results) in row for row in results["widths"])]


def figure_name(column: Column, results: Mapping[str, Any]) -> str:
    """Return a figure's name; where it means something else by another extractor than Inception, with that."""
    return judged_name(column, results) if column.is_named else plain_name(column)


def judged_name(column: Column, results: Mapping[str, Any]) -> str:
    """Return a figure's name with that of the net that it comes from, unless that is Inception."""
    return title(plain_name(column), judge_of(column.key, results))


def plain_name(column: Column) -> str:
    return TITLES.get(column.key, column.key.capitalize())
