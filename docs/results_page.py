"""The page of results: a section per file that ``slimgan fit`` has written, with all that it is stamped with."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from slimgan_pl.evaluation import LOWER_IS_BETTER, judge_of, key_of
from slimgan_pl.evaluation.results_table import TITLES, Column, figures_in, title

__all__ = ["MARK", "fill"]

MARK = "<!-- results -->"  # stands in the page where the sections go


def fill(text: str, folder: Path) -> str:
    """Return the text of a page with the results of all JSON files of a folder in place of the mark."""
    if MARK not in text:
        return text
    paths = sorted(folder.glob("*.json"))
    return text.replace(MARK, "\n".join(section(path.stem, json.loads(path.read_text())) for path in paths))


def section(name: str, results: dict[str, Any]) -> str:
    """Return the results of one run in Markdown."""
    protocol = results["protocol"]
    judged = (
        f"Iteration {results['iteration']:,}: {protocol['num_fake']:,} fakes per width against "
        f"{protocol['num_real']:,} {protocol['real_split']} images."
    )
    parts = [
        f"## {name.replace('_', ' ').capitalize()}",
        judged,
        widths_table(results),
        consistency(results),
        training(results["training"]),
        stamps(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def widths_table(results: dict[str, Any]) -> str:
    """Return a row per width, and one for the real images, which have a score alone."""
    rows = results["widths"]
    shown = figures_in(results)
    head = ["width", "parameters", "MACs", *(head_of(figure, results) for figure in shown)]
    spreads = results.get("deviation", {}).get("widths", [{}] * len(rows))
    cells = [
        [f"{row['width']:g}", f"{row['parameters']:,}", f"{row['macs'] / 1e6:.3g}\u00a0M"]
        + [cell(figure, row, spread, results) for figure in shown]
        for row, spread in zip(rows, spreads, strict=True)
    ]
    real = ["real", "", "", *(cell(figure, results["real"], {}, results) for figure in shown)]
    return markdown_table(head, [*cells, real] if any(real[1:]) else cells)


def head_of(figure: Column, results: dict[str, Any]) -> str:
    """Return a figure's name with an arrow; those called by Inception alone carry the name of another extractor."""
    name = TITLES.get(figure.key, figure.key)
    named = title(name, judge_of(figure.key, results)) if figure.is_named else name
    return f"{named} {'↓' if figure.key in LOWER_IS_BETTER else '↑'}"


def cell(figure: Column, row: dict[str, Any], spread: dict[str, float], results: dict[str, Any]) -> str:
    """Return a figure, with its standard deviation over seeds if there are several."""
    key = key_of(figure.key, results)
    if key not in row:
        return ""
    return figure.form.format(row[key]) + (f" ±{spread[key]:.2g}" if spread.get(key) else "")


def consistency(results: dict[str, Any]) -> str:
    """Return how alike the widths draw, where there are several."""
    key, agreement = key_of("mic", results), key_of("agreement", results)
    if key not in results:
        return ""
    text = f"Between widths: {title('mIC', judge_of('mic', results))} **{results[key]:.4g}** ↓"
    if agreement in results:
        text += f", the same class from a latent in **{results[agreement]:.1%}** of cases ↑"
    names = [f"{row['width']:g}" for row in results["widths"]]
    rows = results[key_of("consistency", results)]
    table = [[name, *(f"{value:.3g}" for value in row)] for name, row in zip(names, rows, strict=True)]
    return f"{text}. Mean squared distance of the features of each two widths:\n\n" + markdown_table(
        ["width", *names], table
    )


def training(cost: dict[str, Any] | None) -> str:
    """Return what the training cost."""
    if cost is None:
        return ""
    return (
        f"Training took {cost['iterations']:,} iterations, {cost['device_seconds']:,.0f} s of all devices and "
        f"{cost['macs']:.3g} multiply-accumulates."
    )


def stamps(results: dict[str, Any]) -> str:
    """Return all that the figures depend on, folded away."""
    nets = {"extractor": results["extractor"], "classifier": results["classifier"], "checkpoint": results["checkpoint"]}
    said = {key: ", ".join(in_words(net)) for key, net in nets.items() if net}
    rest = {key: results[key] for key in ("individual", "recalibration", "device", "processes")}
    stamp = {
        "protocol": ", ".join(in_words(results["protocol"])),
        **said,
        **{key: str(value) for key, value in rest.items() if value},
        "seconds of judging": str(results["seconds"]),
        "versions": ", ".join(f"{name} {number}" for name, number in results["versions"].items()),
    }
    table = markdown_table(["stamp", "value"], stamp.items())
    return f"<details><summary>Stamps</summary>\n\n{table}\n\n</details>"


def in_words(values: dict[str, Any]) -> list[str]:
    """Return what a stamp says, name by name."""
    return [f"{key} {value}" for key, value in values.items() if value is not None]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose columns but the first are numbers, or texts where there are two."""
    mark = "---" if len(head) == 2 else "---:"
    lines = [head, ["---", *[mark] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
