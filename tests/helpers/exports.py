"""Exported files of small generators, made once."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from seasoned import draw_inputs, seasoned

from slimgan_pl.export.onnx_graphs import multi_width_graph, single_width_graph
from slimgan_pl.models import SlimmableGenerator

__all__ = ["TOLERANCE", "generate_reference", "one_file", "one_width", "write_one_file"]

TOLERANCE = 1e-4


@cache
def one_file(name: str) -> bytes:
    """Return the file with all widths of a net of ``seasoned``."""
    content: bytes = multi_width_graph(seasoned(name)).SerializeToString()
    return content


@cache
def one_width(name: str, width: float) -> bytes:
    """Return the file of one width."""
    content: bytes = single_width_graph(seasoned(name), width).SerializeToString()
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
