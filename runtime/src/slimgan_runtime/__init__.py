"""Inference with generators that slimgan-pl exported, on numpy and ONNX Runtime alone."""

from slimgan_runtime.budget import WidthController
from slimgan_runtime.errors import SlimGANError
from slimgan_runtime.images import to_bytes
from slimgan_runtime.runtime import Runtime

__all__ = ["Runtime", "SlimGANError", "WidthController", "to_bytes"]

__version__ = "0.1.0"
