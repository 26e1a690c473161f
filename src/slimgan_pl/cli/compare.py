"""``slimgan compare``: the results of several runs side by side."""

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.metrics.registry import ColumnKey
from slimgan_pl.evaluation.results import read_results
from slimgan_pl.runs.comparison import (
    Run,
    add_up,
    differences,
    lines,
    make_run,
    name_evaluations,
    short_names,
    width_name,
    widths_of,
)
from slimgan_pl.runs.evaluations import find_results
from slimgan_pl.utils.files import check_folder, write_whole, writing_output
from slimgan_pl.utils.formatting import markdown_table
from slimgan_pl.utils.terminal import MAX_COLUMNS, print_whole

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["compare"]

HEAD_BYTES = 1000  # in which a table's first line lies, behind the name of an evaluation


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
    extractors = sorted({result.extractor_of(metric) for result in results})
    if len(extractors) > 1:
        raise SlimGANError(
            f"metrics of different extractors do not compare: {', '.join(extractors)}; name runs of one extractor"
        )
    rows = [make_run(name, result, metric) for name, result in zip(names, results, strict=True)]
    if not widths_of(rows):
        raise SlimGANError(f"these results hold no {metric}; choose another --metric")
    if found := differences(results, metric):
        print(f"NOTE: {', '.join(found)}; such metrics do not compare", file=sys.stderr)
    evaluations = name_evaluations(results, metric)
    groups: dict[str, list[Run]] = {}
    for evaluation, row in zip(evaluations, rows, strict=True):
        groups.setdefault(evaluation, []).append(row)
    if output is None and format == "table":
        for evaluation, group in groups.items():
            print_table(lines(group, metric, "{:.4g} *"), len(group), evaluation)
        return
    text = as_csv(rows, evaluations) if format == "csv" else "\n".join(as_markdown(groups, metric))
    if output is None:
        print(text, end="")
        return
    path = Path(output)
    check_folder(path.parent)
    check_replaced(path)
    with writing_output("the table", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    print(f"{len(rows)} runs in {output}")


def check_replaced(path: Path) -> None:
    """Raise a SlimGANError where a table would replace something else."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head and b"| run |" not in head and not head.startswith(b"run,"):
            raise SlimGANError(f"{path} is there and is no table of runs; give another --output, or delete it")


def print_table(table: Sequence[Sequence[str]], num_runs: int, name: str) -> None:
    """Print a table; long names of runs get numbered lines."""
    from rich.console import Console

    console = Console()
    shown = make_table(table, num_runs, name)
    if console.measure(shown, options=console.options.update_width(MAX_COLUMNS)).maximum > console.width:
        numbers = [str(number) for number in range(1, num_runs + 1)]
        for number, row in zip(numbers, table[1:], strict=False):
            print(f"{number}: {row[0]}")
        firsts = ["run", *numbers, *(row[0] for row in table[num_runs + 1 :])]
        shown = make_table([[first, *row[1:]] for first, row in zip(firsts, table, strict=True)], num_runs, name)
    print_whole(shown)


def make_table(table: Sequence[Sequence[str]], num_runs: int, name: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = Table(title=name, caption="* best of its width", box=SIMPLE_HEAD, pad_edge=False, padding=0)
    for number, column in enumerate(table[0]):
        shown.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in table[1 : num_runs + 1]:
        shown.add_row(*row)
    shown.add_section()
    for row in table[num_runs + 1 :]:
        shown.add_row(*row)
    return shown


def as_markdown(groups: Mapping[str, Sequence[Run]], metric: str) -> Iterator[str]:
    """Yield a table per evaluation, under its name if there are several."""
    for evaluation, rows in groups.items():
        head, *body = lines(rows, metric, "**{:.4g}**")
        title = f"{evaluation}:\n\n" if len(groups) > 1 else ""
        yield f"{title}{markdown_table(head, body, '---:')}\n"


def as_csv(rows: Sequence[Run], evaluations: Sequence[str]) -> str:
    """Return plain numbers, with a column of evaluations if there are several."""
    text, widths = io.StringIO(), widths_of(rows)
    writer = csv.writer(text, lineterminator="\n")
    named = len(set(evaluations)) > 1
    heads = ["run", *(["evaluation"] if named else []), *(width_name(width) for width in widths)]
    writer.writerow([*heads, "iterations", "device_seconds", "macs"])
    for row, evaluation in zip(rows, evaluations, strict=True):
        values = [row.values.get(width) for width in widths]
        writer.writerow([row.name, *([evaluation] if named else []), *values, row.iterations, row.seconds, row.macs])
    for name, seconds, macs in add_up(rows):
        writer.writerow([name, *[None] * len(heads), seconds, macs])
    return text.getvalue()
