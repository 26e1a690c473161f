"""Exported files of small generators, made once."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from onnx import ModelProto
from seasoned import draw_inputs, seasoned

from slimgan_pl.export.formats import FloatPrecision
from slimgan_pl.export.onnx_graphs import multi_width_graph, single_width_graph
from slimgan_pl.models import SlimmableGenerator

__all__ = ["TOLERANCE", "all_widths", "generate_reference", "one_file", "one_width", "single_width", "write_one_file"]

TOLERANCE = 1e-4


def all_widths(name: str, precision: FloatPrecision = "float32") -> ModelProto:
    """Return the graph with all widths of a net of ``seasoned``; it is only read."""
    return traced(name, None, precision)


def single_width(name: str, width: float) -> ModelProto:
    """Return the graph of one width; it is only read."""
    return traced(name, width, "float32")


@cache
def traced(name: str, width: float | None, precision: FloatPrecision) -> ModelProto:
    net = seasoned(name)
    return multi_width_graph(net, precision) if width is None else single_width_graph(net, width, precision)


def one_file(name: str) -> bytes:
    """Return the file with all widths of a net of ``seasoned``."""
    content: bytes = all_widths(name).SerializeToString()
    return content


def one_width(name: str, width: float) -> bytes:
    """Return the file of one width."""
    content: bytes = single_width(name, width).SerializeToString()
    return content


def write_one_file(name: str, folder: Path) -> Path:
    """Write the file with all widths as ``slimgan export`` names it."""
    (folder / "generator.onnx").write_bytes(one_file(name))
    return folder / "generator.onnx"


@torch.no_grad()
def generate_reference(
    generator: SlimmableGenerator, count: int, width: float
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return latents, labels and the images that PyTorch makes of them."""
    latents, labels = draw_inputs(generator, count)
    images = generator(latents, labels, width=width)
    return latents.numpy(), None if labels is None else labels.numpy(), images.numpy()
