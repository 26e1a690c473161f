"""``slimgan compare``: the results of several runs side by side."""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from slimgan_pl.callbacks.table import title
from slimgan_pl.errors import UserError
from slimgan_pl.evaluation import LOWER_IS_BETTER, judge_of, key_of

__all__ = [
    "TITLES",
    "Figure",
    "compare",
    "differences",
    "duration",
    "lines",
    "macs_text",
    "make_run",
    "read_results",
    "short_names",
]

Figure = Literal["fid", "kid", "is", "precision", "recall", "density", "coverage"]

PROTOCOL = {
    "data": "the real images",
    "num_real": "the numbers of real images",
    "num_fake": "the numbers of fakes",
    "num_score": "the numbers of fakes for the score",
    "splits": "the splits of the score",
}

TITLES = {"fid": "FID", "kid": "KID", "is": "IS"}

IMAGES = math.inf  # stands for the width of a folder of images, which has none


class Run(NamedTuple):
    """A run: its name, a figure per width, whether it is a plain GAN of one width, and what its training cost."""

    name: str
    figures: dict[float, float]
    is_individual: bool
    iterations: int
    seconds: float | None  # of all devices
    macs: float | None


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
    results = [read_results(run) for run in runs]
    names = short_names(runs)
    for difference in differences(results):
        print(f"NOTE: {difference}", file=sys.stderr)
    judges = sorted({judge_of(metric, result) for result in results})
    if len(judges) > 1:
        raise UserError(f"figures of different extractors do not compare: {', '.join(judges)}")
    key = key_of(metric, results[0])
    rows = [make_run(name, result, key) for name, result in zip(names, results, strict=True)]
    widths = sorted({width for row in rows for width in row.figures})
    if not widths:
        raise UserError(f"these results hold no {metric}; choose another --metric")
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


def read_results(run: str) -> dict[str, Any]:
    """Return the results of a run, from its folder or from the file itself.

    Raises:
        UserError: If there are none, or they are broken.
    """
    path = Path(run)
    if path.is_dir():
        numbers = {folder: folder.name.removeprefix("version_") for folder in path.glob("version_*")}
        versions = sorted((folder for folder in numbers if numbers[folder].isdigit()), key=lambda f: int(numbers[f]))
        places = ("results.json", "checkpoints/last.test.json")
        for folder in (path, *reversed(versions)):
            if found := [folder / place for place in places if (folder / place).is_file()]:
                path = max(found, key=lambda file: file.stat().st_mtime)  # what was judged last
                break
        else:
            path = path / places[0]
    try:
        results: dict[str, Any] = json.loads(path.read_text())
        if not {"extractor", "protocol", "iteration", "widths"} <= results.keys():
            raise ValueError("figures are missing")
        check_results(results)
    except FileNotFoundError:
        raise UserError(
            f"there are no results at {path}; slimgan fit writes them at its end, slimgan test again"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise UserError(f"{path} does not hold results of slimgan fit or test ({error})") from error
    return results


def check_results(results: dict[str, Any]) -> None:
    """Raise a ValueError, TypeError or the like where results are not of the form that a comparison reads."""
    for net in (results["extractor"], results.get("classifier")):
        if net is not None and not isinstance(net["name"], str):
            raise ValueError("a net has no name")
        if net is not None and not isinstance(net.get("weights_sha256"), str | None):
            raise ValueError("a checksum is no text")
    if results["extractor"] is None:
        raise ValueError("the extractor is missing")
    if not isinstance(results["protocol"], dict):
        raise ValueError("the protocol is missing")
    for row in results["widths"]:
        for key in row:
            make_run("", results, key)
    cost = results.get("training") or {}
    for key in ("device_seconds", "macs"):
        float(cost.get(key) or 0)
        if isinstance(cost.get(key), str):
            raise ValueError(f"{key} is no number")


def differences(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each thing that differs and makes figures of these results incomparable."""
    found = []
    for key, what in PROTOCOL.items():
        values = {str(result["protocol"].get(key)) for result in results}
        if len(values) > 1:
            found.append(f"{what} differ ({', '.join(sorted(values))}); such figures do not compare")
    for net in ("extractor", "classifier"):
        if len({(result.get(net) or {}).get("weights_sha256") for result in results}) > 1:
            found.append(f"the {net}'s weights differ; such figures do not compare")
    return found


def short_names(runs: Sequence[str]) -> list[str]:
    """Return the names of runs without the folders that all of them lie in.

    >>> short_names(["runs/a/version_0", "runs/b/version_0/"])
    ['a/version_0', 'b/version_0']
    """
    parents = [Path(run).parent for run in runs]
    if len({parent.is_absolute() for parent in parents}) > 1:
        return list(runs)
    shared = Path(os.path.commonpath(parents))
    return [str(Path(run).relative_to(shared)) for run in runs]


def make_run(name: str, results: dict[str, Any], key: str) -> Run:
    """Return a row of the table; the cost is unknown where a part of the training was not counted."""
    iteration = int(results["iteration"] or 0)
    cost = dict(results.get("training") or {})
    if cost.get("iterations") != iteration:
        cost = {}
    figures = {
        IMAGES if row["width"] is None else float(row["width"]): row[key]
        for row in results["widths"]
        if row.get(key) is not None
    }
    return Run(
        name,
        {width: float(figure) for width, figure in figures.items()},
        results.get("individual") is not None,
        iteration,
        cost.get("device_seconds"),
        cost.get("macs"),
    )


def add_up(rows: Sequence[Run]) -> list[tuple[str, float | None, float | None]]:
    """Return the name, the time and the multiply-accumulates of each sum below the table."""
    kinds = {"slimmable": [r for r in rows if not r.is_individual], "individual": [r for r in rows if r.is_individual]}
    groups = {f"sum, {name}": group for name, group in kinds.items() if group and len(group) < len(rows)}
    return [(name, total(group, "seconds"), total(group, "macs")) for name, group in [*groups.items(), ("sum", rows)]]


def total(rows: Sequence[Run], key: Literal["seconds", "macs"]) -> float | None:
    """Return a sum, or None where a run does not know its part."""
    values: list[float | None] = [getattr(row, key) for row in rows]
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def lines(rows: Sequence[Run], widths: Sequence[float], metric: str, mark: str) -> list[list[str]]:
    """Return the table as text: the head, a line per run with the best of each column marked, and the sums."""
    columns = {width: [row.figures[width] for row in rows if width in row.figures] for width in widths}
    finite = {width: [figure for figure in column if math.isfinite(figure)] for width, column in columns.items()}
    choose: Callable[[Iterable[float]], float] = min if metric in LOWER_IS_BETTER else max
    best = {width: choose(column) for width, column in finite.items() if column}
    table = [["run", *(width_name(width) for width in widths), "iterations", "training", "MACs"]]
    for row in rows:
        texts = {width: mark if figure == best.get(width) else "{:.4g}" for width, figure in row.figures.items()}
        figures = [texts[width].format(row.figures[width]) if width in texts else "" for width in widths]
        table.append([row.name, *figures, f"{row.iterations:,}", duration(row.seconds), macs_text(row.macs)])
    blank = [""] * (len(widths) + 1)
    return table + [[name, *blank, duration(seconds), macs_text(macs)] for name, seconds, macs in add_up(rows)]


def width_name(width: float) -> str:
    return "images" if width == IMAGES else f"{width:g}"


def duration(seconds: float | None) -> str:
    """Return a time in seconds or hours."""
    if seconds is None:
        return "?"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.2f} h"


def macs_text(macs: float | None) -> str:
    """Return a number of multiply-accumulates."""
    return "?" if macs is None else f"{macs:.3g}"


def print_table(table: Sequence[Sequence[str]], num_runs: int, name: str) -> None:
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
