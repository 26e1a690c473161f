"""Blocks of Python that draw with exported files."""

from collections.abc import Mapping
from typing import Any

__all__ = ["snippets_of"]

COUNT = 8  # images that a snippet draws

PACKAGE = __name__.partition(".")[0]


def snippets_of(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return for each way to draw with the files of a card what to say of it and the Python that does it."""
    found = []
    onnx = file_of(card, "onnx-multi") or file_of(card, "onnx")
    if onnx is not None:
        found.append(("With `slimgan-runtime`, which needs numpy and ONNX Runtime alone:", with_runtime(card, onnx)))
        found.append(("With ONNX Runtime itself:", with_onnxruntime(card, onnx)))
    weights = file_of(card, "safetensors")
    if weights is not None:
        found.append(("With PyTorch and `slimgan-pl`:", with_torch(card, weights)))
    return found


def file_of(card: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """Return the file of a kind to show: of float32 if there is one, and of the widest width."""
    files = [file for file in card["files"] if file["kind"] == kind]
    exact = [file for file in files if file["precision"] == "float32"]
    return max(exact or files, key=lambda file: max(file["widths"]), default=None)


def shape_of(card: Mapping[str, Any]) -> str:
    net = card["generator"]
    return f"({COUNT}, {net['image_channels']}, {net['image_size']}, {net['image_size']})"


def with_runtime(card: Mapping[str, Any], file: Mapping[str, Any]) -> str:
    classes = card["generator"]["num_classes"]
    arguments = ["latents"]
    if classes:
        arguments.append(f"labels=[number % {classes} for number in range({COUNT})]")
    if len(file["widths"]) > 1:
        arguments.append(f"width={file['widths'][0]:g}")
    return f"""\
from slimgan_runtime import Runtime, to_bytes

runtime = Runtime("{file["name"]}")
latents = runtime.latents({COUNT}, seed=0)
images = runtime.generate({", ".join(arguments)})  # float32 {shape_of(card)} in [-1, 1]
pixels = to_bytes(images)  # uint8, as libraries of pictures take them
"""


def with_onnxruntime(card: Mapping[str, Any], file: Mapping[str, Any]) -> str:
    net = card["generator"]
    inputs = [f'inputs = {{"latents": random.standard_normal(({COUNT}, {net["latent_dim"]}), dtype=np.float32)}}']
    if net["num_classes"]:
        inputs.append(f'inputs["labels"] = random.integers({net["num_classes"]}, size={COUNT})')
    if len(file["widths"]) > 1:
        listed = ", ".join(f"{width:g}" for width in file["widths"])
        inputs.append(f'inputs["width"] = np.array(0, np.int64)  # the first of the widths {listed}')
    lines = "\n".join(inputs)
    return f"""\
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("{file["name"]}", providers=["CPUExecutionProvider"])
random = np.random.default_rng(0)
{lines}
(images,) = session.run(["images"], inputs)  # float32 {shape_of(card)} in [-1, 1]
pixels = np.rint((images + 1) * 127.5).clip(0, 255).astype(np.uint8)
"""


def with_torch(card: Mapping[str, Any], file: Mapping[str, Any]) -> str:
    net = card["generator"]
    kind = ", dtype=torch.float16" if file["precision"] == "float16" else ""
    arguments = [f"torch.randn({COUNT}, {net['latent_dim']}{kind})"]
    if net["num_classes"]:
        arguments.append(f"torch.arange({COUNT}) % {net['num_classes']}")
    if len(file["widths"]) > 1:
        arguments.append(f"width={file['widths'][0]:g}")
    imported, classes = own_class(net, file)
    return f"""\
import torch

from slimgan_pl.models import load_generator
{imported}
generator = load_generator("{file["name"]}"{classes})
with torch.no_grad():
    images = generator({", ".join(arguments)})  # {shape_of(card)} in [-1, 1]
"""


def own_class(net: Mapping[str, Any], file: Mapping[str, Any]) -> tuple[str, str]:
    """Return the import of a generator's class and the argument that names it, or nothing for one of this package."""
    module, name = net["module"], net["class"]
    if file["folded"] or module.partition(".")[0] == PACKAGE:  # what is folded is of a class of this package
        return "", ""
    return f"from {module} import {name.partition('.')[0]}\n", f", classes=[{name}]"
