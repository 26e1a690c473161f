"""``slimgan compare``: the results of several runs side by side."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.metrics.registry import ColumnKey
from slimgan_pl.evaluation.results import read_results
from slimgan_pl.runs.comparison import Run, add_up, differences, lines, make_run, short_names, width_name, widths_of
from slimgan_pl.runs.folder import find_results
from slimgan_pl.utils.files import check_folder, write_whole, writing_output
from slimgan_pl.utils.formatting import markdown_table

__all__ = ["compare"]


def compare(
    runs: list[str],
    metric: ColumnKey = "fid",
    format: Literal["table", "markdown", "csv"] = "table",
    output: str | None = None,
) -> None:
    """Compare the results of several runs in one table.

    It has a row per run and a column per width. The best of each width is marked, and the costs of training are added
    up below.

    Args:
        runs: Folders of runs, or files of results.
        metric: The metric to compare.
        format: A table for the terminal, Markdown, or CSV with plain numbers and no marks.
        output: File to write instead of printing, as Markdown unless the format is CSV.
    """
    results = [read_results(find_results(run)) for run in runs]
    names = short_names(runs)
    for difference in differences(results):
        print(f"NOTE: {difference}", file=sys.stderr)
    extractors = sorted({result.extractor_of(metric) for result in results})
    if len(extractors) > 1:
        raise SlimGANError(
            f"metrics of different extractors do not compare: {', '.join(extractors)}; name runs of one extractor"
        )
    rows = [make_run(name, result, metric) for name, result in zip(names, results, strict=True)]
    if not widths_of(rows):
        raise SlimGANError(f"these results hold no {metric}; choose another --metric")
    if output is None and format == "table":
        print_table(lines(rows, metric, "{:.4g} *"), len(rows), results[0].label(metric, names_extractor=True))
        return
    head, *body = lines(rows, metric, "**{:.4g}**")
    text = as_csv(rows) if format == "csv" else f"{markdown_table(head, body, '---:')}\n"
    if output is None:
        print(text, end="")
        return
    path = Path(output)
    check_folder(path.parent)
    with writing_output("the table", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
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


def as_csv(rows: Sequence[Run]) -> str:
    text, widths = io.StringIO(), widths_of(rows)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", *(width_name(width) for width in widths), "iterations", "device_seconds", "macs"])
    for row in rows:
        values = [row.values.get(width) for width in widths]
        writer.writerow([row.name, *values, row.iterations, row.seconds, row.macs])
    for name, seconds, macs in add_up(rows):
        writer.writerow([name, *[None] * (len(widths) + 1), seconds, macs])
    return text.getvalue()
