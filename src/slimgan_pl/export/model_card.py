"""The card beside exported files: what they are, what each width costs and how good it is, as JSON and Markdown."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import slimgan_pl
from slimgan_pl.export.exported_file import ExportedFile
from slimgan_pl.export.model_card_markdown import card_markdown
from slimgan_pl.models import SlimmableGenerator, count_macs
from slimgan_pl.models.metadata import IMAGES, LABELS, LATENTS, WIDTH
from slimgan_pl.profiling.profile_widths import sizes
from slimgan_pl.runs.checkpoint_evaluation import find_evaluation
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.runs.training_summary import about_training
from slimgan_pl.utils.files import replacing
from slimgan_pl.utils.recipes import class_path, plain

__all__ = ["CARD_JSON", "CARD_MARKDOWN", "make_card", "write_card"]

CARD_JSON, CARD_MARKDOWN = "model_card.json", "model_card.md"

CARD_VERSION = 1

PACKAGES = ("torch", "numpy", "onnx", "onnxruntime")

LEFT_OUT = ("training", "per_seed")  # of results: told elsewhere, and long


def write_card(
    folder: Path,
    source: Source,
    files: Sequence[ExportedFile],
    distances: Mapping[str, Any] | None = None,
    page: Sequence[Path] = (),
) -> dict[str, Any]:
    """Write ``model_card.json`` and ``model_card.md`` into a folder of exported files.

    Args:
        folder: The folder, which is there.
        source: The checkpoint that was exported.
        files: What was exported of it, at the widths of its generator.
        distances: What the Fréchet distances of the files depend on, ``Distances.stamp``.
        page: Files of a page for browsers in the folder.

    Returns:
        The card as plain values.
    """
    card = make_card(source, files, distances)
    exported = {file.name for file in files}
    card["page"] = sorted({path.relative_to(folder).as_posix() for path in page} - exported)
    texts = {CARD_JSON: f"{json.dumps(card, indent=2, allow_nan=False)}\n", CARD_MARKDOWN: card_markdown(card)}
    for name, text in texts.items():
        with replacing(folder / name) as file:
            file.write(text.encode())
    return card


def make_card(
    source: Source, files: Sequence[ExportedFile], distances: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the card as plain values, in which every number is finite; the arguments are those of ``write_card``."""
    generator, training, results = source.model.generator, about_training(source.checkpoint), find_evaluation(source)
    evaluation = None if results is None else {"deviation": {"widths": []}, **results.to_json()}
    card = {
        "version": CARD_VERSION,
        "title": title_of(generator, training),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "generator": about_generator(generator),
        **inputs_and_outputs(generator, files),
        "widths": [{"width": width, **costs(generator, width)} for width in generator.widths],
        "files": [asdict(file) for file in files],
        "evaluation": evaluation and {name: value for name, value in evaluation.items() if name not in LEFT_OUT},
        "distances": None if distances is None else dict(distances),
        "training": training,
        "checkpoint": {"file": source.path.name, "sha256": source.sha256},
        "versions": {"slimgan-pl": slimgan_pl.__version__, **installed()},
    }
    return dict(finite(card))


def title_of(generator: SlimmableGenerator, training: Mapping[str, Any]) -> str:
    """Return what a net is, in a few words."""
    kind = "Slimmable generator" if len(generator.widths) > 1 else "Generator"
    data = training["data"]
    images = f" of {data['name']}" if data else ""
    return f"{kind}{images}, {generator.image_size}x{generator.image_size} pixels"


def about_generator(generator: SlimmableGenerator) -> dict[str, Any]:
    """Return what builds a generator and what it draws."""
    return {
        "class": type(generator).__qualname__,
        "module": class_path(type(generator)).rpartition(".")[0],
        "arguments": plain(generator.arguments),
        "widths": list(generator.widths),
        "latent_dim": generator.latent_dim,
        "num_classes": generator.num_classes,
        "image_channels": generator.image_channels,
        "image_size": generator.image_size,
    }


def inputs_and_outputs(generator: SlimmableGenerator, files: Sequence[ExportedFile]) -> dict[str, Any]:
    """Return what takes the inputs, and names, types, shapes and ranges of inputs and output.

    That is a session of the ONNX files, if there are any. Else it is ``forward`` of PyTorch's generator, in the
    precision of its safetensors file.
    """
    onnx = [file for file in files if file.kind != "safetensors"]
    size, classes = generator.image_size, generator.num_classes
    dtype = "float32" if onnx else " or ".join(sorted({file.precision for file in files}))
    latents = {"shape": ["N", generator.latent_dim], "values": "independent draws from N(0, 1)"}
    inputs = [{"name": LATENTS, "dtype": dtype, **latents}]
    if classes:
        inputs.append({"name": LABELS, "dtype": "int64", "shape": ["N"], "values": f"classes, 0 to {classes - 1}"})
    several = next((file.widths for file in onnx if file.kind == "onnx-multi" and len(file.widths) > 1), None)
    if several is not None:
        listed = ", ".join(f"{width:g}" for width in several)
        numbers = f"0 to {len(several) - 1}, for the widths {listed}"
        inputs.append({"name": WIDTH, "dtype": "int64", "shape": [], "values": numbers})
    images = {"shape": ["N", generator.image_channels, size, size], "values": "-1 to 1"}
    return {
        "interface": "onnx" if onnx else "forward(latents, labels=None)",
        "inputs": inputs,
        "outputs": [{"name": IMAGES, "dtype": dtype, **images}],
    }


def costs(generator: SlimmableGenerator, width: float) -> dict[str, int]:
    """Return the parameters, the bytes of weights and statistics, and the multiply-accumulates of one width alone."""
    with torch.random.fork_rng(devices=[]):  # which building a slice draws from
        return {**sizes(generator.slice(width)), "macs": count_macs(generator, width)}


def installed() -> dict[str, str]:
    """Return the versions of what exports, of the packages that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # of the extra
            continue
    return found


def finite(value: Any) -> Any:
    """Return nested plain values without numbers that are NaN or infinite, which JSON has not; in a list they are None.

    >>> finite({"fid": math.nan, "kid": 1.0, "row": [math.inf, (2,)]})
    {'kid': 1.0, 'row': [None, [2]]}
    """
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items() if not is_odd(item)}
    if isinstance(value, list | tuple):
        return [None if is_odd(item) else finite(item) for item in value]
    return value


def is_odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
