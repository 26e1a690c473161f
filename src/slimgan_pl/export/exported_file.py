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
    """Difference between a file's images at one width and those of PyTorch in float32.

    Attributes:
        width: The width.
        max_abs: Largest difference of a value in [-1, 1].
        rms: Root of the mean square of the differences.
        distance: Fréchet distance between the file's images and real ones; None if it was not measured.
        distance_change: The same, less that of PyTorch's images of the same latents.
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
        format: Name of its format; ``onnx`` holds one width, ``onnx-multi`` several over shared weights.
        precision: Of its weights.
        widths: From narrow to wide.
        folded: Whether batch norms are part of the layers around them.
        bytes: Its size.
        sha256: Its SHA-256.
        errors: One for each width that was compared.
    """

    name: str
    format: str
    precision: Precision
    widths: tuple[float, ...]
    folded: bool
    bytes: int
    sha256: str
    errors: tuple[WidthError, ...] = ()

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
    """Return the facts about a file, with the size and checksum that it has on disk."""
    size = path.stat().st_size
    return ExportedFile(path.name, format, precision, tuple(widths), folded, size, file_sha256(path), tuple(errors))
