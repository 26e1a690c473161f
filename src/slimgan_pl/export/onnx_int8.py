"""ONNX graphs of one width in 8-bit integers. Needs the extra ``onnx``."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto

from slimgan_pl.export.onnx_graphs import single_width_graph
from slimgan_pl.export.onnx_tracing import describe_graph, silencing
from slimgan_pl.export.ort import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.metadata import LABELS, LATENTS, generator_metadata

__all__ = ["quantized_graph"]

CALIBRATION_BATCHES, CALIBRATION_BATCH_SIZE = 16, 16


class RandomInputs(CalibrationDataReader):  # type: ignore[misc]
    """Random latents, and labels of a conditional generator, for calibration."""

    def __init__(self, generator: SlimmableGenerator, seed: int) -> None:
        self.batches = self.generate(generator, seed)

    @staticmethod
    def generate(generator: SlimmableGenerator, seed: int) -> Iterator[dict[str, np.ndarray]]:
        source = np.random.default_rng(seed)
        for _ in range(CALIBRATION_BATCHES):
            latents = source.standard_normal((CALIBRATION_BATCH_SIZE, generator.latent_dim), np.float32)
            batch: dict[str, np.ndarray] = {LATENTS: latents}
            if generator.num_classes:
                batch[LABELS] = source.integers(generator.num_classes, size=CALIBRATION_BATCH_SIZE)
            yield batch

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def quantized_graph(generator: SlimmableGenerator, width: float, seed: int = 0) -> ModelProto:
    """Return one width as a graph of 8-bit integers, weights per channel.

    The ranges of activations come from random latents (Jacob et al. 2018, section 3.1). Transposed
    convolutions have integer weights and compute in float32, as ONNX Runtime has no integer kernel for them on a CPU.

    Args:
        generator: A slimmable generator on the CPU.
        width: One of its ``widths``.
        seed: Seed of the latents.

    Raises:
        SlimGANError: If the width is not in the list.
    """
    options: dict[str, Any] = {"quant_format": QuantFormat.QDQ, "per_channel": True}
    types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    with TemporaryDirectory() as folder, silencing():
        path = Path(folder) / "quantized.onnx"
        inputs = RandomInputs(generator, seed)
        quantize_static(single_width_graph(generator, width), path, inputs, **options, **types)
        model = onnx.load(path)
    return describe_graph(model, generator_metadata(generator, (width,), precision="int8"))
