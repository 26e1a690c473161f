"""What is said of a run in words: where it stands, and what its figures are stamped with."""

from collections.abc import Callable, Mapping
from typing import Any

from slimgan_pl.comparing import duration, macs_text
from slimgan_pl.files import file_sha256
from slimgan_pl.report.reading import RunFiles

__all__ = ["facts_of", "stamps_of"]


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
