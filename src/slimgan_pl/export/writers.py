"""Writing a generator in each format, with what draws from the file that was written."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.exported_file import Kind, Precision
from slimgan_pl.export.precision import FloatPrecision, in_precision
from slimgan_pl.layers import width_index
from slimgan_pl.models import SlimmableGenerator, load_generator, save_generator
from slimgan_pl.models.folding import folded_slice
from slimgan_pl.models.metadata import IMAGES, LABELS, LATENTS, WIDTH
from slimgan_pl.utils.files import replacing

if TYPE_CHECKING:
    from onnx import ModelProto  # of the extra onnx

__all__ = ["Draw", "Session", "Written", "check_onnx", "session_draw", "write_files"]

Draw = Callable[[Tensor, Tensor | None, float], Tensor]  # images from latents, labels and a width


class Written(NamedTuple):
    """A file, and what draws with it."""

    path: Path
    widths: tuple[float, ...]
    draw: Draw
    graph: "ModelProto | None" = None  # of an ONNX file


def write_files(
    generator: SlimmableGenerator,
    kind: Kind,
    widths: Sequence[float],
    folder: Path,
    precision: Precision,
    fold: bool,
) -> Iterator[Written]:
    """Write a file per width, or one with all, and yield each; before ONNX, call :func:`check_onnx`.

    Args:
        generator: The trained generator, on the CPU.
        kind: Of the files.
        widths: Those that are asked for.
        folder: Where they are written.
        precision: Of the weights.
        fold: Whether batch norms of safetensors become part of the layers around them; they always do in ONNX.

    Raises:
        SlimGANError: If a weight is too large for the precision.
    """
    if kind == "safetensors":
        assert precision != "int8"
        for width in widths:
            yield write_safetensors(generator, width, folder, precision, fold)
    elif kind == "onnx":
        for width in widths:
            yield write_onnx(generator, width, folder, precision)
    else:
        assert precision != "int8"
        yield write_multi(generator, folder, precision)


def write_safetensors(
    generator: SlimmableGenerator, width: float, folder: Path, precision: FloatPrecision, fold: bool
) -> Written:
    """Write one width with its schedule, and read it back."""
    narrow: SlimmableGenerator = folded_slice(generator, width) if fold else generator.slice(width)
    path = folder / f"generator_{width:g}.safetensors"
    save_generator(in_precision(narrow, precision), path, width)
    loaded = load_generator(path, [type(narrow)])
    dtype = loaded.dtype

    @torch.no_grad()
    def draw(latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        images: Tensor = loaded(latents.to(dtype), labels)
        return images.float()

    return Written(path, (width,), draw)


def write_onnx(generator: SlimmableGenerator, width: float, folder: Path, precision: Precision) -> Written:
    """Write one width as a file of its own."""
    from slimgan_pl.export.onnx_graphs import single_width_graph
    from slimgan_pl.export.onnx_int8 import quantized_graph

    if precision == "int8":
        model = quantized_graph(generator, width)
    else:
        model = single_width_graph(generator, width, precision)
    return saved(model, folder / f"generator_{width:g}.onnx", (width,))


def write_multi(generator: SlimmableGenerator, folder: Path, precision: FloatPrecision) -> Written:
    """Write all widths as one file."""
    from slimgan_pl.export.onnx_graphs import multi_width_graph

    return saved(multi_width_graph(generator, precision), folder / "generator.onnx", generator.widths)


def saved(model: "ModelProto", path: Path, widths: tuple[float, ...]) -> Written:
    """Write a graph, and open the file in ONNX Runtime."""
    from slimgan_pl.export.ort import onnxruntime

    with replacing(path) as file:
        file.write(model.SerializeToString())
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return Written(path, widths, session_draw(session, widths), model)


def check_onnx() -> None:
    """Raise a SlimGANError where a library that writing ONNX needs is missing."""
    try:
        import onnxscript  # noqa: F401

        import slimgan_pl.export.ort  # noqa: F401
    except ModuleNotFoundError as error:
        raise SlimGANError(f"ONNX files need {error.name}; install it with pip install 'slimgan-pl[onnx]'") from error


class Session(Protocol):
    """What is used of an ``onnxruntime.InferenceSession``."""

    def get_inputs(self) -> Any:
        """Return the inputs, each with a name."""

    def run(self, output_names: Any, input_feed: Any) -> Any:
        """Return the outputs that are named."""


def session_draw(session: Session, widths: Sequence[float]) -> Draw:
    """Return what draws with a session of an exported ONNX file.

    Args:
        session: Of a file with one width, or with several and an input that chooses among them.
        widths: The widths of the file, narrow to wide.
    """
    names = {each.name for each in session.get_inputs()}

    def draw(latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        index = width_index(widths, width)
        feed: dict[str, Any] = {LATENTS: latents.numpy()}
        if LABELS in names and labels is not None:
            feed[LABELS] = labels.numpy()
        if WIDTH in names:
            feed[WIDTH] = np.array(index, np.int64)
        return torch.from_numpy(session.run([IMAGES], feed)[0])

    return draw
