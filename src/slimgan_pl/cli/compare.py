"""``slimgan compare``: the results of several runs side by side."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import judge_of, key_of, read_results
from slimgan_pl.evaluation.results_table import TITLES, title
from slimgan_pl.runs.comparison import Figure, Run, add_up, differences, lines, make_run, short_names, width_name
from slimgan_pl.runs.folder import find_results

__all__ = ["compare"]


def compare(
    runs: list[str],
    metric: Figure = "fid",
    format: Literal["table", "markdown", "csv"] = "table",
    output: str | None = None,
) -> None:
    """Compare the results of several runs in one table: a row per run, a column per width.

    The best of each width is marked, and the costs of training are added up below.

    Args:
        runs: Folders of runs, or files of results.
        metric: The figure to compare; fid and kid are better when low, the others when high.
        format: A table for the terminal, Markdown, or CSV with plain numbers and no marks.
        output: File to write instead of printing, as Markdown unless the format is CSV.
    """
    results = [read_results(str(find_results(run))) for run in runs]
    names = short_names(runs)
    for difference in differences(results):
        print(f"NOTE: {difference}", file=sys.stderr)
    judges = sorted({judge_of(metric, result) for result in results})
    if len(judges) > 1:
        raise SlimGANError(f"figures of different extractors do not compare: {', '.join(judges)}")
    key = key_of(metric, results[0])
    rows = [make_run(name, result, key) for name, result in zip(names, results, strict=True)]
    widths = sorted({width for row in rows for width in row.figures})
    if not widths:
        raise SlimGANError(f"these results hold no {metric}; choose another --metric")
    if output is None and format == "table":
        print_table(lines(rows, widths, metric, "{:.4g} *"), len(rows), title(TITLES.get(metric, metric), judges[0]))
        return
    marked = lines(rows, widths, metric, "**{:.4g}**")
    text = as_csv(rows, widths) if format == "csv" else as_markdown(marked)
    if output is None:
        print(text, end="")
        return
    Path(output).write_text(text)
    print(f"{len(rows)} runs in {output}")


def print_table(table: Sequence[Sequence[str]], num_runs: int, name: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=name, caption="* best of its width", box=SIMPLE_HEAD, pad_edge=False, padding=0)
    for number, column in enumerate(table[0]):
        shown.add_column(column, justify="right" if number else "left", no_wrap=number > 0, overflow="fold")
    for row in table[1 : num_runs + 1]:
        shown.add_row(*row)
    shown.add_section()
    for row in table[num_runs + 1 :]:
        shown.add_row(*row)
    Console().print(shown)


def as_markdown(table: Sequence[Sequence[str]]) -> str:
    rows = [table[0], ["---", *["---:"] * (len(table[0]) - 1)], *table[1:]]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def as_csv(rows: Sequence[Run], widths: Sequence[float]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", *(width_name(width) for width in widths), "iterations", "device_seconds", "macs"])
    for row in rows:
        figures = [row.figures.get(width) for width in widths]
        writer.writerow([row.name, *figures, row.iterations, row.seconds, row.macs])
    for name, seconds, macs in add_up(rows):
        writer.writerow([name, *[None] * (len(widths) + 1), seconds, macs])
    return text.getvalue()
