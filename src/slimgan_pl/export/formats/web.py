"""Site for browsers: an ONNX file and a page that runs it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from slimgan_pl.export.formats import Precision
from slimgan_pl.export.formats.base import Written
from slimgan_pl.export.formats.onnx_multi import FILE, OnnxMultiFormat
from slimgan_pl.export.web.onnxruntime_web import runtime_files
from slimgan_pl.export.web.page import write_page
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.utils.terminal import typed_python

__all__ = ["FORMAT"]


class WebFormat(OnnxMultiFormat):
    """A folder of static files.

    Args:
        precision: Of the weights.
        onnxruntime_web: The npm package onnxruntime-web as a file; by default npm fetches it, once.
    """

    name = "web"
    extra = "web"
    options = ("onnxruntime_web",)

    def __init__(self, precision: Precision = "float32", onnxruntime_web: str | None = None) -> None:
        super().__init__(precision)
        self.onnxruntime_web = onnxruntime_web
        self.runtime: Mapping[str, bytes] = {}

    @property
    def file_format(self) -> str:
        return OnnxMultiFormat.name

    def prepare(self) -> None:
        super().prepare()
        self.runtime = runtime_files(self.onnxruntime_web)

    def write(self, source: Source, widths: Sequence[float], folder: Path) -> Iterator[Written]:
        generator = source.model.inference_generator
        files = write_page(folder, source, self.graph(generator), self.runtime)
        yield Written(folder / FILE, generator.widths, tuple(file for file in files if file.name != FILE))

    def next_step(self, folder: str) -> str:
        return f"Serve it: {typed_python()} -m http.server --bind 127.0.0.1 --directory {quote(folder)}"


FORMAT = WebFormat
