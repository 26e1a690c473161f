"""Formats of exported generators: each is a module here and a ``FormatName``."""

from typing import Literal, get_args

__all__ = ["FORMATS", "FloatPrecision", "FormatName", "Precision"]

FormatName = Literal["safetensors", "onnx", "onnx-multi", "web"]  # the choices of ``slimgan export --format``
FloatPrecision = Literal["float32", "float16"]
Precision = Literal["float32", "float16", "int8"]

FORMATS: tuple[str, ...] = get_args(FormatName)
