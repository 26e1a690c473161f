"""Model card of exported files: contents, cost and quality of each width."""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from slimgan_pl._version import __version__
from slimgan_pl.export.card_markdown import make_markdown
from slimgan_pl.export.exported_file import ExportedFile
from slimgan_pl.export.formats.registry import load_format
from slimgan_pl.models import SlimmableGenerator, count_macs
from slimgan_pl.models.metadata import IMAGES
from slimgan_pl.profiling.profile_widths import sizes
from slimgan_pl.runs.checkpoint_evaluation import find_evaluation
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.runs.training_summary import about_training
from slimgan_pl.utils.files import write_whole
from slimgan_pl.utils.recipes import class_path, plain

__all__ = ["CARD_JSON", "CARD_MARKDOWN", "make_card", "write_card"]

CARD_JSON, CARD_MARKDOWN = "model_card.json", "model_card.md"
CARD_VERSION = 1
PACKAGES = ("torch", "numpy", "onnx", "onnxruntime")
LEFT_OUT = ("training", "per_seed")  # keys of results: the first is elsewhere in the card, the second is long


def write_card(
    folder: Path,
    source: Source,
    files: Sequence[ExportedFile],
    distances: Mapping[str, Any] | None = None,
    others: Sequence[Path] = (),
) -> dict[str, Any]:
    """Write ``model_card.json`` and ``model_card.md`` into a folder of exported files.

    Args:
        folder: The folder, which exists.
        source: The checkpoint that was exported.
        files: Its exported files, at least one.
        distances: Provenance of the files' Fréchet distances, ``Distances.provenance``.
        others: Further files of the export, such as those of a page for browsers.

    Returns:
        The card as plain values.
    """
    card = make_card(source, files, distances)
    card["page"] = sorted(path.relative_to(folder).as_posix() for path in others)
    texts = {CARD_JSON: f"{json.dumps(card, indent=2, allow_nan=False)}\n", CARD_MARKDOWN: make_markdown(card)}
    for name, text in texts.items():
        write_whole(folder / name, text.encode())
    return card


def make_card(
    source: Source, files: Sequence[ExportedFile], distances: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the card as plain values with finite numbers; see ``write_card``."""
    generator = source.model.inference_generator
    training, results = about_training(source.checkpoint), find_evaluation(source)
    evaluation = None if results is None else {"deviation": {"widths": []}, **results.to_json()}
    widths = []
    with torch.random.fork_rng(devices=[]):  # building a slice consumes random numbers
        for width in generator.widths:
            widths.append({"width": width, **sizes(generator.slice(width)), "macs": count_macs(generator, width)})
    card = {
        "version": CARD_VERSION,
        "title": title_of(generator, training),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "generator": about_generator(generator),
        **inputs_and_outputs(generator, files),
        "widths": widths,
        "files": [file.to_json() for file in files],
        "evaluation": evaluation and {name: value for name, value in evaluation.items() if name not in LEFT_OUT},
        "distances": None if distances is None else dict(distances),
        "training": training,
        "checkpoint": {"file": source.path.name, "sha256": source.sha256, "weights": source.model.used_weights},
        "truncation": source.model.truncation,
        "versions": {"slimgan-pl": __version__, **find_versions()},
    }
    return dict(finite(card))


def title_of(generator: SlimmableGenerator, training: Mapping[str, Any]) -> str:
    """Return the title of a card, in a few words."""
    name = "Slimmable generator" if len(generator.widths) > 1 else "Generator"
    images = f" of {training['data']['name']}" if training["data"] else ""
    return f"{name}{images}, {generator.image_size}x{generator.image_size} pixels"


def about_generator(generator: SlimmableGenerator) -> dict[str, Any]:
    """Return a generator's class, arguments, and form of inputs and images."""
    return {
        "class": type(generator).__qualname__,
        "module": class_path(type(generator)).rpartition(".")[0],
        "arguments": plain(generator.arguments),
        "widths": list(generator.widths),
        "latent_dim": generator.latent_dim,
        "num_classes": generator.num_classes,
        "classes": generator.classes.to_json() if generator.num_classes else None,
        "image_channels": generator.image_channels,
        "image_size": generator.image_size,
    }


def inputs_and_outputs(generator: SlimmableGenerator, files: Sequence[ExportedFile]) -> dict[str, Any]:
    """Return the files' interface with the form of inputs and output."""
    file, size = files[0].to_json(), generator.image_size
    format = load_format(files[0].format)
    images = {"shape": ["N", generator.image_channels, size, size], "values": "-1 to 1"}
    return {
        "interface": format.interface,
        "inputs": format.inputs(generator, file),
        "outputs": [{"name": IMAGES, "dtype": format.input_dtype(file), **images}],
    }


def find_versions() -> dict[str, str]:
    """Return the versions of the installed packages that export."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):  # packages of the extra onnx may be missing
            found[name] = version(name)
    return found


def finite(value: Any) -> Any:
    """Drop NaN and infinity from nested values; in lists use None.

    >>> finite({"fid": math.nan, "kid": 1.0, "row": [math.inf, (2,)]})
    {'kid': 1.0, 'row': [None, [2]]}
    """
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items() if not is_not_finite(item)}
    if isinstance(value, list | tuple):
        return [None if is_not_finite(item) else finite(item) for item in value]
    return value


def is_not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
