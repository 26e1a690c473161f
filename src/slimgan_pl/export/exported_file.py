"""Facts about an exported file."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slimgan_pl.export.formats import Precision
from slimgan_pl.utils.files import file_sha256

__all__ = ["ExportedFile", "WidthError", "describe_file"]


@dataclass(frozen=True)
class WidthError:
    """Difference between images of a file and PyTorch's float32 at one width."""

    width: float
    max_abs: float  # largest difference of a value in [-1, 1]
    rms: float  # root of the mean square of the differences
    distance: float | None = None  # Fréchet distance between the file's images and real ones, if it was measured
    distance_change: float | None = None  # the distance, less that of PyTorch's images of the same latents


@dataclass(frozen=True)
class ExportedFile:
    """A file of an exported generator."""

    name: str  # in the folder
    format: str  # name of the format of the file, such as onnx-multi in an export as web
    precision: Precision
    widths: tuple[float, ...]  # from narrow to wide
    folded: bool  # whether batch norms are part of the layers around them
    bytes: int
    sha256: str
    errors: tuple[WidthError, ...] = ()  # one for each width that was compared

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``model_card.json``, where the format is called ``kind``."""
        return {"kind" if name == "format" else name: value for name, value in asdict(self).items()}


def describe_file(
    path: Path,
    format: str,
    precision: Precision,
    widths: Sequence[float],
    folded: bool,
    errors: Sequence[WidthError] = (),
) -> ExportedFile:
    """Return the facts about a file, with its size and checksum."""
    size = path.stat().st_size
    return ExportedFile(path.name, format, precision, tuple(widths), folded, size, file_sha256(path), tuple(errors))
