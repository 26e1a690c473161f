"""ONNX Runtime without telemetry. Needs the extra ``onnx``."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from slimgan_pl.export.formats.base import Sampler
from slimgan_pl.layers import width_index
from slimgan_pl.models.metadata import IMAGES, LABELS, LATENTS, WIDTH

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, at import; a value that the user has set stays

import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

__all__ = [
    "CalibrationDataReader",
    "QuantFormat",
    "QuantType",
    "onnxruntime",
    "open_session",
    "quantize_static",
    "session_sampler",
]


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX file by its path or content, on the CPU."""
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def session_sampler(session: onnxruntime.InferenceSession, widths: Sequence[float]) -> Sampler:
    """Return a function that samples with a session.

    ``widths`` are those of the file, from narrow to wide: the graph takes their index.
    """
    names = {each.name for each in session.get_inputs()}

    def sample(latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        index = width_index(widths, width)
        feed: dict[str, Any] = {LATENTS: latents.numpy()}
        if LABELS in names and labels is not None:
            feed[LABELS] = labels.numpy()
        if WIDTH in names:
            feed[WIDTH] = np.array(index, np.int64)
        return torch.from_numpy(session.run([IMAGES], feed)[0])

    return sample
