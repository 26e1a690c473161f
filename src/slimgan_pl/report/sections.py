"""Section of a page about one run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.evaluation.results_table import caption
from slimgan_pl.report.blocks import (
    Block,
    Choice,
    consistency_block,
    curve_blocks,
    evaluation_blocks,
    trade_off_choice,
)
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.summary import RunSummary
from slimgan_pl.report.tables import Table, width_table
from slimgan_pl.runs.curves import curves_of, split_column
from slimgan_pl.utils.files import file_sha256
from slimgan_pl.utils.formatting import duration, macs_text

__all__ = ["Section", "all_widths", "make_section"]


class Section(NamedTuple):
    """Facts, tables and charts of a run."""

    run: RunFiles
    summary: RunSummary
    facts: dict[str, str]
    widths: Table
    remarks: list[str]
    trade_off: Choice | None
    consistency: Block | None
    evaluations: list[Block]
    curves: list[Block]
    provenance: dict[str, str]


def make_section(run: RunFiles, summary: RunSummary, names: Sequence[str], metric: str) -> Section:
    """Make a run's section; ``names`` are all widths on the page."""
    results = run.results
    return Section(
        run,
        summary,
        facts_of(run),
        width_table(widths_of(run, summary), results, summary),
        remarks_on(results, summary),
        None if results is None else trade_off_choice(results, summary.latency, names, metric),
        None if results is None else consistency_block(results),
        evaluation_blocks(run.history, names),
        curve_blocks(run.metrics, names),
        provenance_of(run),
    )


def widths_of(run: RunFiles, summary: RunSummary) -> list[float]:
    """Return the widths of a run, those of its results first."""
    if run.results is not None:
        return [row.width for row in run.results.rows if row.width is not None]
    if summary.parameters:
        return sorted(summary.parameters)
    curves = curves_of(run.metrics, "generator_loss")
    return [] if curves is None else [width for width in curves.lines if width is not None]


def all_widths(run: RunFiles, summary: RunSummary) -> set[float]:
    """Return the widths of all results, pictures and curves of a run."""
    of_results = [row.width for results in run.history for row in results.rows if row.width is not None]
    columns = {column for row in run.metrics for column in row}
    of_curves = [of[1] for of in map(split_column, columns) if of is not None]
    return {*of_results, *summary.parameters, *of_curves}


def remarks_on(results: EvaluationResults | None, summary: RunSummary) -> list[str]:
    """Return the remarks below the table of widths."""
    times = [] if summary.latency is None else [f"Latency: {summary.latency.how}."]
    if results is None:
        return times
    said = (caption(results) or "").splitlines()
    return ["The best of each metric is bold.", *(f"{line[0].upper()}{line[1:]}." for line in said), *times]


def facts_of(run: RunFiles) -> dict[str, str]:
    """Return the facts at the top of a run."""
    results = run.results
    protocol, training = ({}, {}) if results is None else (results.protocol, results.training)
    facts = {
        "Iteration": "" if run.iteration is None else f"{run.iteration:,}",
        "Data": data_of(run),
        "Extractor": "" if results is None else results.extractor_of("fid"),
        "Evaluated on": counts_of(protocol),
        "Training": duration(training["device_seconds"]) if training.get("device_seconds") else "",
        "Saved": "" if run.date is None else f"{run.date:%Y-%m-%d %H:%M}",
    }
    return {name: str(value) for name, value in facts.items() if value}


def data_of(run: RunFiles) -> str:
    """Return the data module's name, or what the results call the data."""
    data = run.settings.get("data")
    path = data.get("class_path") if isinstance(data, dict) else None
    if isinstance(path, str):
        return path.rpartition(".")[2].removesuffix("DataModule")
    return "" if run.results is None else str(run.results.protocol.get("data") or "")


def counts_of(protocol: Mapping[str, Any]) -> str:
    """Return the numbers of images that were compared."""
    fake, real, split = (protocol.get(key) for key in ("num_fake", "num_real", "real_split"))
    if not isinstance(fake, int) or not isinstance(real, int):
        return ""
    return f"{fake:,} fakes, {real:,} {split or 'real'} images"


def provenance_of(run: RunFiles) -> dict[str, str]:
    """Return the provenance of the metrics, line by line."""
    results, training = ({}, {}) if run.results is None else (run.results.provenance, run.results.training)
    told: dict[str, Any] = {}
    if run.checkpoint is not None:
        digest = file_sha256(run.checkpoint)
        told["Checkpoint"] = f"{run.checkpoint.name}, SHA-256 {digest}"
        evaluated = results.get("checkpoint", {}).get("sha256")
        if evaluated is not None and evaluated != digest:
            told["Evaluated checkpoint"] = f"another one, SHA-256 {evaluated}"
    known: dict[str, tuple[Any, Callable[[Any], str]]] = {
        "Protocol": (results.get("protocol"), pairs),
        "Extractor": (results.get("extractor"), pairs),
        "Classifier": (results.get("classifier"), pairs),
        "Weights": (results.get("weights"), str),
        "Batches of recalibration": (results.get("recalibration"), str),
        "Device": (results.get("device"), str),
        "Processes": (results.get("processes"), str),
        "Versions": (results.get("versions"), pairs),
        "Evaluation": (results.get("seconds"), lambda seconds: f"{seconds} s"),
        "Counted iterations": (training.get("iterations"), "{:,.0f}".format),
        "Training on all devices": (training.get("device_seconds"), duration),
        "Multiply-accumulates of training": (training.get("macs"), macs_text),
    }
    return told | {name: say(value) for name, (value, say) in known.items() if value is not None}


def pairs(values: Any) -> str:
    """Return nested plain values in one line.

    >>> pairs({"name": "test", "seeds": [0, 1]})
    'name test, seeds 0 1'
    """
    if isinstance(values, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {pairs(value)}" for key, value in values.items())
    if isinstance(values, list):
        return " ".join(map(pairs, values))
    return str(values)
