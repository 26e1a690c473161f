"""What is known of an exported file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slimgan_pl.files import file_sha256

__all__ = ["ExportedFile", "Kind", "Precision", "WidthError", "describe_file"]

Kind = Literal["safetensors", "onnx", "onnx-multi"]

Precision = Literal["float32", "float16", "int8"]


@dataclass(frozen=True)
class WidthError:
    """How far a file's images at one width are from those that PyTorch draws in float32.

    Attributes:
        width: The width.
        max_abs: Largest difference of a value in [-1, 1].
        rms: Root of the mean square of the differences.
        distance: Fréchet distance of the file's images to real ones; None where it was not measured.
        distance_change: The same, less that of PyTorch's images from the same latents.
    """

    width: float
    max_abs: float
    rms: float
    distance: float | None = None
    distance_change: float | None = None


@dataclass(frozen=True)
class ExportedFile:
    """A file of an exported generator.

    Attributes:
        name: Its name in the folder.
        kind: ``onnx`` holds one width, ``onnx-multi`` several over shared weights.
        precision: Of its weights.
        widths: Those that it draws at, narrow to wide.
        folded: Whether batch norms are part of the layers around them.
        bytes: Its size.
        sha256: Its SHA-256.
        errors: An entry for each width that was compared.
    """

    name: str
    kind: Kind
    precision: Precision
    widths: tuple[float, ...]
    folded: bool
    bytes: int
    sha256: str
    errors: tuple[WidthError, ...] = ()


def describe_file(
    path: Path,
    kind: Kind,
    precision: Precision,
    widths: Sequence[float],
    folded: bool,
    errors: Sequence[WidthError] = (),
) -> ExportedFile:
    """Return what is known of a file that lies on disk: size and checksum are those that it has there."""
    size = path.stat().st_size
    return ExportedFile(path.name, kind, precision, tuple(widths), folded, size, file_sha256(path), tuple(errors))
