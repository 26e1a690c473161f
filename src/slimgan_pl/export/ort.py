"""ONNX Runtime, of the extra ``onnx``, told before it starts to send nothing about its use to its makers."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read once, so another value set before stays

import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

__all__ = ["CalibrationDataReader", "QuantFormat", "QuantType", "onnxruntime", "quantize_static"]
