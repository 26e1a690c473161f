"""ONNX Runtime, with its telemetry disabled before it loads."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it reads this once, so another value set before stays

import onnxruntime

__all__ = ["onnxruntime"]
