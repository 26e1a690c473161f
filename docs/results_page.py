"""Page of results: a section with the provenance for each file that ``slimgan fit`` has written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slimgan_pl.evaluation.metrics.metric import Column
from slimgan_pl.evaluation.results import EvaluationResults, Row, read_results
from slimgan_pl.utils.formatting import markdown_table

__all__ = ["MARK", "fill"]

MARK = "<!-- results -->"  # stands in the page where the sections go

NUMBERS = "---:"  # alignment of columns


def fill(text: str, folder: Path) -> str:
    """Return the text of a page with the results of all JSON files of a folder in place of the mark."""
    if MARK not in text:
        return text
    return text.replace(
        MARK, "\n".join(section(path.stem, read_results(path)) for path in sorted(folder.glob("*.json")))
    )


def section(name: str, results: EvaluationResults) -> str:
    """Return the results of one run in Markdown."""
    protocol = results.protocol
    counts = (
        f"Iteration {results.iteration:,}: {protocol['num_fake']:,} fakes per width against "
        f"{protocol['num_real']:,} {protocol['real_split']} images."
    )
    parts = [
        f"## {name.replace('_', ' ').capitalize()}",
        counts,
        widths_table(results),
        consistency(results),
        training(results.training),
        provenance(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def widths_table(results: EvaluationResults) -> str:
    """Return a row per width, and one for the real images, which have a score alone."""
    head = ["width", "parameters", "MACs"]
    head += [f"{results.label(column.key)} {column.arrow}" for column in results.columns]
    rows = [
        [row.name, f"{row.values['parameters']:,}", f"{row.values['macs'] / 1e6:.3g}\u00a0M"]
        + [cell(column, row) for column in results.columns]
        for row in results.rows
    ]
    real = ["real", "", "", *(cell(column, Row(None, results.real, {})) for column in results.columns)]
    return markdown_table(head, [*rows, real] if any(real[1:]) else rows, NUMBERS)


def cell(column: Column, row: Row) -> str:
    """Return a metric, with its standard deviation over seeds if there are several."""
    if column.key not in row.values:
        return ""
    std = row.deviation.get(column.key)
    return column.format.format(row.values[column.key]) + (f" ±{std:.2g}" if std else "")


def consistency(results: EvaluationResults) -> str:
    """Return the distances between widths, where there are several."""
    if "mic" not in results.between or results.consistency is None:
        return ""
    text = f"Between widths: {results.label('mic')} **{results.between['mic']:.4g}** ↓"
    if "agreement" in results.between:
        text += f", the same class from a latent in **{results.between['agreement']:.1%}** of cases ↑"
    names = [row.name for row in results.rows]
    rows = [[name, *(f"{v:.3g}" for v in row)] for name, row in zip(names, results.consistency, strict=True)]
    table = markdown_table(["width", *names], rows, NUMBERS)
    return f"{text}. Mean squared distance of the features of each two widths:\n\n{table}"


def training(cost: Mapping[str, float]) -> str:
    """Return the cost of the training."""
    if not cost:
        return ""
    return (
        f"Training took {cost['iterations']:,} iterations, {cost['device_seconds']:,.0f} s of all devices and "
        f"{cost['macs']:.3g} multiply-accumulates."
    )


def provenance(results: EvaluationResults) -> str:
    """Return the provenance of the metrics, folded away."""
    known = {"individual": results.individual, **results.provenance}
    nets = ("extractor", "classifier", "checkpoint")
    rows = {
        "protocol": ", ".join(in_words(known["protocol"])),
        **{key: ", ".join(in_words(known[key])) for key in nets if key in known},
        **{key: str(known[key]) for key in ("individual", "recalibration", "device", "processes") if known.get(key)},
        "seconds of evaluation": str(known["seconds"]),
        "versions": ", ".join(f"{name} {number}" for name, number in known["versions"].items()),
    }
    table = markdown_table(["provenance", "value"], rows.items())
    return f"<details><summary>Provenance</summary>\n\n{table}\n\n</details>"


def in_words(values: Mapping[str, Any]) -> list[str]:
    """Return names with their values; unknown ones are left out."""
    return [f"{key} {value}" for key, value in values.items() if value is not None]
