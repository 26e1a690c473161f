"""ONNX Runtime, told before it starts to send nothing about its use to its makers, which it does by default."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it reads this once, so another value set before stays

import onnxruntime

__all__ = ["onnxruntime"]
