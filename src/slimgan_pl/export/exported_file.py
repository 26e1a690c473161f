"""What is known of an exported file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table

from slimgan_pl.utils.files import file_sha256

__all__ = ["ExportedFile", "Kind", "Precision", "WidthError", "describe_file", "files_table"]

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


def files_table(files: Sequence[ExportedFile]) -> Table:
    """Return a table with a row for each file and width."""
    table = Table(title="Exported, against PyTorch in float32", box=SIMPLE_HEAD, pad_edge=False)
    judged = any(error.distance is not None for file in files for error in file.errors)
    for head in ("file", "size", "width", "largest\nerror", "RMS\nerror", *(("FID", "change") if judged else ())):
        table.add_column(head, justify="left" if head == "file" else "right", no_wrap=True)
    for file in files:
        head = (file.name, megabytes(file.bytes))
        for error in file.errors:
            cells = [*head, f"{error.width:g}", f"{error.max_abs:.1e}", f"{error.rms:.1e}"]
            if error.distance is not None and error.distance_change is not None:
                cells += [f"{error.distance:.4g}", f"{error.distance_change:+.2g}"]
            table.add_row(*cells)
            head = ("", "")
    return table


def megabytes(count: int) -> str:
    """Return a size.

    >>> megabytes(1_234_567), megabytes(45_600)
    ('1.23 MB', '0.0456 MB')
    """
    return f"{count / 1e6:.3g} MB"
