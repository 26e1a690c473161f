"""All that a page shows of one run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from slimgan_pl.evaluation.results_table import caption
from slimgan_pl.report.blocks import (
    Block,
    Choice,
    consistency_block,
    curve_blocks,
    evaluation_blocks,
    pace_blocks,
    trade_off_choice,
)
from slimgan_pl.report.drawing import Drawn
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.tables import Table, width_table
from slimgan_pl.runs.curves import curves_of, split_column
from slimgan_pl.utils.files import file_sha256
from slimgan_pl.utils.formatting import duration, macs_text

__all__ = ["Section", "all_widths", "facts_of", "make_section", "stamps_of"]


class Section(NamedTuple):
    """What the page shows of a run."""

    run: RunFiles
    drawn: Drawn
    facts: dict[str, str]
    widths: Table
    remarks: list[str]
    trade_off: Choice | None
    consistency: Block | None
    evaluations: list[Block]
    curves: list[Block]
    pace: list[Block]
    stamps: dict[str, str]


def make_section(run: RunFiles, drawn: Drawn, names: Sequence[str], metric: str) -> Section:
    """Return what the page shows of a run.

    Args:
        run: Its files.
        drawn: What was drawn of it.
        names: Of all widths on the page.
        metric: The figure that comes first.
    """
    results = run.results
    return Section(
        run,
        drawn,
        facts_of(run),
        width_table(widths_of(run, drawn), results, drawn),
        remarks_on(results, drawn),
        None if results is None else trade_off_choice(results, drawn.latency, names, metric),
        None if results is None else consistency_block(results),
        evaluation_blocks(run.history, names),
        curve_blocks(run.metrics, names),
        pace_blocks(run.metrics),
        stamps_of(run),
    )


def widths_of(run: RunFiles, drawn: Drawn) -> list[float]:
    """Return the widths that a run was judged at, or that it has."""
    if run.results is not None:
        return [row["width"] for row in run.results["widths"]]
    if drawn.parameters:
        return sorted(drawn.parameters)
    curves = curves_of(run.metrics, "generator_loss")
    return [] if curves is None else [width for width in curves.lines if width is not None]


def all_widths(run: RunFiles, drawn: Drawn) -> set[float]:
    """Return all widths that anything of a run is of."""
    of_results = [row["width"] for results in run.history for row in results["widths"]]
    columns = {column for row in run.metrics for column in row}
    of_curves = [of[1] for of in map(split_column, columns) if of is not None]
    return {*of_results, *drawn.parameters, *of_curves}


def remarks_on(results: dict[str, Any] | None, drawn: Drawn) -> list[str]:
    """Return what is to be said of the table of widths."""
    times = [] if drawn.latency is None else [f"Latency: {drawn.latency.how}."]
    if results is None:
        return times
    said = (caption(results) or "").splitlines()
    return ["The best of each figure is bold.", *(f"{line[0].upper()}{line[1:]}." for line in said), *times]


def facts_of(run: RunFiles) -> dict[str, str]:
    """Return the facts at the top of a run."""
    results = run.results or {}
    protocol, training = results.get("protocol") or {}, results.get("training") or {}
    facts = {
        "Iteration": "" if run.iteration is None else f"{run.iteration:,}",
        "Data": data_of(run),
        "Extractor": (results.get("extractor") or {}).get("name"),
        "Judged by": counts_of(protocol),
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
    return str(((run.results or {}).get("protocol") or {}).get("data") or "")


def counts_of(protocol: Mapping[str, Any]) -> str:
    """Return how many images were compared."""
    fake, real, split = (protocol.get(key) for key in ("num_fake", "num_real", "real_split"))
    if not isinstance(fake, int) or not isinstance(real, int):
        return ""
    return f"{fake:,} fakes, {real:,} {split or 'real'} images"


def stamps_of(run: RunFiles) -> dict[str, str]:
    """Return what allows to trust the figures and to make them again."""
    results = run.results or {}
    stamps: dict[str, Any] = {}
    if run.checkpoint is not None:
        digest = file_sha256(run.checkpoint)
        stamps["Checkpoint"] = f"{run.checkpoint.name}, SHA-256 {digest}"
        judged = (results.get("checkpoint") or {}).get("sha256")
        if judged is not None and judged != digest:
            stamps["Checkpoint that was judged"] = f"another one, SHA-256 {judged}"
    training = results.get("training") or {}
    known: dict[str, tuple[Any, Callable[[Any], str]]] = {
        "Protocol": (results.get("protocol"), pairs),
        "Extractor": (results.get("extractor"), pairs),
        "Classifier": (results.get("classifier"), pairs),
        "Batches of recalibration": (results.get("recalibration"), str),
        "Device": (results.get("device"), str),
        "Processes": (results.get("processes"), str),
        "Versions": (results.get("versions"), pairs),
        "Evaluation": (results.get("seconds"), lambda seconds: f"{seconds} s"),
        "Iterations that were counted": (training.get("iterations"), "{:,.0f}".format),
        "Training on all devices": (training.get("device_seconds"), duration),
        "Multiply-accumulates of training": (training.get("macs"), macs_text),
    }
    return stamps | {name: say(value) for name, (value, say) in known.items() if value is not None}


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
