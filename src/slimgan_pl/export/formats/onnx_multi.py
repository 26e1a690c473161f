"""One ONNX file with all widths over shared weights."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slimgan_pl.export.formats.base import Written
from slimgan_pl.export.formats.onnx import OnnxFormat
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.metadata import WIDTH
from slimgan_pl.runs.checkpoints import Source

if TYPE_CHECKING:
    from onnx import ModelProto  # of the extra onnx

__all__ = ["FILE", "FORMAT", "OnnxMultiFormat"]

FILE = "generator.onnx"


class OnnxMultiFormat(OnnxFormat):
    """Graph with a branch per width; loading it folds batch norms."""

    name = "onnx-multi"
    title = "ONNX, all widths"
    precisions = ("float32", "float16")
    is_per_width = False
    is_folded = False

    def graph(self, generator: SlimmableGenerator) -> "ModelProto":
        """Return the graph of all widths."""
        from slimgan_pl.export.onnx_graphs import multi_width_graph

        return multi_width_graph(generator, self.float_precision)

    def write(self, source: Source, widths: Sequence[float], folder: Path) -> Iterator[Written]:
        from slimgan_pl.export.onnx_graphs import save_graph

        generator = source.model.inference_generator
        yield Written(save_graph(self.graph(generator), folder / FILE), generator.widths)

    @classmethod
    def inputs(cls, generator: SlimmableGenerator, file: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = super().inputs(generator, file)
        if len(file["widths"]) > 1:
            listed = ", ".join(f"{width:g}" for width in file["widths"])
            values = f"0 to {len(file['widths']) - 1}, for the widths {listed}"
            found.append({"name": WIDTH, "dtype": "int64", "shape": [], "values": values})
        return found


FORMAT = OnnxMultiFormat
