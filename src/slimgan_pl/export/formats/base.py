"""The base class of all formats."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.formats import FloatPrecision, Precision
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.metadata import LABELS, LATENTS
from slimgan_pl.runs.checkpoints import Source

__all__ = ["Format", "Sampler", "Written"]

Sampler = Callable[[Tensor, Tensor | None, float], Tensor]  # float32 images of latents, labels or None, and a width


class Written(NamedTuple):
    """Exported file, its widths from narrow to wide, and files beside it."""

    path: Path
    widths: tuple[float, ...]
    others: tuple[Path, ...] = ()


class Format(ABC):
    """A format with the settings of one export.

    Attributes:
        name: Its name in ``slimgan export --format``.
        title: Its name in the table of files of a model card.
        tag: Its name among the tags of a model hub.
        taker: The part of a sentence that says what takes the inputs.
        interface: The same in ``model_card.json``.
        extra: The extra of this package that it needs, or None.
        modules: The modules that the extra has to make importable.
        precisions: Those that it can hold.
        is_per_width: Whether each width has a file of its own.
        is_folded: Whether batch norms are part of the layers around them in the files.
        options: Options of ``slimgan export`` that belong to it alone, which its constructor takes.
        snippets: Pairs of a sentence and a jinja2 template of Python that samples with a file. The template knows
            ``file`` and ``generator`` of the card, ``count``, and the ``shape`` of the images.

    Args:
        precision: Of the weights.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tag: ClassVar[str]
    taker: ClassVar[str]
    interface: ClassVar[str]
    extra: ClassVar[str | None] = None
    modules: ClassVar[tuple[str, ...]] = ()
    precisions: ClassVar[tuple[Precision, ...]] = ("float32",)
    is_per_width: ClassVar[bool] = True
    is_folded: bool = False
    options: ClassVar[tuple[str, ...]] = ()
    snippets: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, precision: Precision = "float32") -> None:
        self.precision: Precision = precision

    @property
    def float_precision(self) -> FloatPrecision:
        """The precision of a format that has no int8."""
        assert self.precision != "int8"
        return self.precision

    @property
    def file_format(self) -> str:
        """Name of the format that the card gives the files."""
        return self.name

    def prepare(self) -> None:
        """Fetch and check what writing needs, before anything is written.

        Raises:
            SlimGANError: If a library that the format needs is missing.
        """
        try:
            for module in self.modules:
                import_module(module)
        except ModuleNotFoundError as error:
            raise SlimGANError(
                f'--format {self.name} needs {error.name}; install it with pip install "slimgan-pl[{self.extra}]"'
            ) from error

    @abstractmethod
    def write(self, source: Source, widths: Sequence[float], folder: Path) -> Iterator[Written]:
        """Write a file per width, or one with all, and yield each.

        Args:
            source: The checkpoint, whose generator is on the CPU in evaluation mode.
            widths: The widths to export; all of them unless the format is per width.
            folder: An existing folder.

        Raises:
            SlimGANError: If a weight is too large for the precision.
        """

    @abstractmethod
    def load(self, written: Written, generator: SlimmableGenerator) -> Sampler:
        """Load a file back, to sample as a user of it would.

        Args:
            written: The file.
            generator: The generator that it was written from, for its class alone.
        """

    @classmethod
    def input_dtype(cls, file: Mapping[str, Any]) -> str:
        """Return the type of a card file's latents and images."""
        return "float32"

    @classmethod
    def inputs(cls, generator: SlimmableGenerator, file: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return name, type, shape and values of a card file's inputs."""
        latents = {"shape": ["N", generator.latent_dim], "values": "independent samples of N(0, 1)"}
        found = [{"name": LATENTS, "dtype": cls.input_dtype(file), **latents}]
        if generator.num_classes:
            values = f"classes, 0 to {generator.num_classes - 1}"
            found.append({"name": LABELS, "dtype": "int64", "shape": ["N"], "values": values})
        return found

    def next_step(self, folder: str) -> str | None:
        """Return a line of advice on the exported folder, or None."""
        return None
