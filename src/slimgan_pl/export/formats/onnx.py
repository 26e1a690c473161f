"""An ONNX file per width, for devices that have one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from slimgan_pl.export.formats import Precision
from slimgan_pl.export.formats.base import Format, Sampler, Written
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.runs.checkpoints import Source

__all__ = ["FORMAT", "OnnxFormat"]

WITH_RUNTIME = """\
from slimgan_runtime import Runtime, to_bytes

runtime = Runtime("{{ file.name }}")
latents = runtime.latents({{ count }}, seed=0)
{% if generator.num_classes %}
labels = [number % {{ generator.num_classes }} for number in range({{ count }})]  # or names of runtime.classes
{% endif %}
{% set arguments %}
latents{% if generator.num_classes %}, labels{% endif %}
{% if file.widths[1:] %}, width={{ file.widths[0] | number }}{% endif %}
{% endset %}
images = runtime.generate({{ arguments }})  # float32 {{ shape }} in [-1, 1]
pixels = to_bytes(images)  # uint8, as libraries of pictures take them
"""

WITH_ONNXRUNTIME = """\
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("{{ file.name }}", providers=["CPUExecutionProvider"])
random = np.random.default_rng(0)
inputs = {"latents": random.standard_normal(({{ count }}, {{ generator.latent_dim }}), dtype=np.float32)}
{% if generator.num_classes %}
inputs["labels"] = np.arange({{ count }}) % {{ generator.num_classes }}
{% endif %}
{% if file.widths[1:] %}
inputs["width"] = np.array(0, np.int64)  # the first of the widths {{ file.widths | map("number") | join(", ") }}
{% endif %}
(images,) = session.run(["images"], inputs)  # float32 {{ shape }} in [-1, 1]
pixels = np.rint((images + 1) * 127.5).clip(0, 255).astype(np.uint8)
"""


class OnnxFormat(Format):
    """Graph of one width with folded batch norms."""

    name = "onnx"
    title = "ONNX, one width"
    tag = "onnx"
    taker = "the ONNX files"
    interface = "onnx"
    extra = "onnx"
    modules = ("onnxscript", "slimgan_pl.export.ort")
    precisions: ClassVar[tuple[Precision, ...]] = ("float32", "float16", "int8")
    is_folded = True
    snippets = (
        ("With `slimgan-runtime`, which needs numpy and ONNX Runtime alone:", WITH_RUNTIME),
        ("With ONNX Runtime itself:", WITH_ONNXRUNTIME),
    )

    def write(self, source: Source, widths: Sequence[float], folder: Path) -> Iterator[Written]:
        from slimgan_pl.export.onnx_graphs import save_graph, single_width_graph
        from slimgan_pl.export.onnx_int8 import quantized_graph

        generator = source.model.inference_generator
        for width in widths:
            if self.precision == "int8":
                model = quantized_graph(generator, width)
            else:
                model = single_width_graph(generator, width, self.float_precision)
            yield Written(save_graph(model, folder / f"generator_{width:g}.onnx"), (width,))

    def load(self, written: Written, generator: SlimmableGenerator) -> Sampler:
        from slimgan_pl.export.ort import open_session, session_sampler

        return session_sampler(open_session(written.path), written.widths)


FORMAT = OnnxFormat
