"""Formats of exported generators: each is the module of its name in this package, and one name in this list."""

from typing import Literal, get_args

__all__ = ["FORMATS", "FloatPrecision", "FormatName", "Precision"]

FormatName = Literal["safetensors", "onnx", "onnx-multi", "web"]  # the choices of ``slimgan export --format``

FloatPrecision = Literal["float32", "float16"]

Precision = Literal["float32", "float16", "int8"]

FORMATS: tuple[str, ...] = get_args(FormatName)
