"""Pixel values of more than 8 bits, and their range."""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError

__all__ = [
    "EIGHT_BITS",
    "Kind",
    "SeenValues",
    "UnknownRangeError",
    "ValueRange",
    "find_kind",
    "guess_range",
    "read_values",
    "scale_values",
]

ValueRange = tuple[float, float]  # the values that become black and white

PHOTOMETRIC, BITS, SAMPLE_FORMAT = 262, 258, 339  # tags of TIFF
UNSIGNED, SIGNED = 1, 2  # sample formats
SCALED = ("PNG", "PPM")  # formats whose integers Pillow scales to 16 bits
COMMON = ((0.0, 1.0), (-1.0, 1.0), *((0.0, 2.0**bits - 1) for bits in (8, 10, 12, 14, 16)))
ADDING = Lock()  # of the module, as data modules are pickled
DARK = 0.25  # share of the range below which a whole data set looks black: 14 bits in 16


class UnknownRangeError(ValueError):
    """A file that does not tell the range of its values."""


class Kind(NamedTuple):
    """Values of an image, as far as its file tells.

    ``range`` is None where the file leaves it open.
    """

    name: str
    range: ValueRange | None
    view: str | None = None  # NumPy's name of the values' type, where Pillow takes them for another
    inverted: bool = False  # the lowest value is white


EIGHT_BITS = Kind("8-bit values", (0, 255))


class Extremes(NamedTuple):
    """Number of images, and the lowest and highest of their values."""

    num_images: int
    low: float
    high: float


def find_kind(image: Image.Image) -> Kind:
    """Return the kind of values of an image straight from its file."""
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    if image.mode == "L" and tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0] == SIGNED:
        return Kind("8-bit signed integers", None, "int8")
    if not image.mode.startswith(("I", "F")):
        return EIGHT_BITS
    inverted = tags.get(PHOTOMETRIC) == 0
    if image.mode == "F":
        return Kind("32-bit floats", None, inverted=inverted)
    if image.format == "FITS":  # signed, with an offset that Pillow does not read
        return Kind("FITS integers", None)
    bits = tags.get(BITS, (32 if image.mode == "I" else 16,))[0]
    if image.mode == "I" and image.format not in SCALED:
        unsigned = image.format == "TIFF" and tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0] == UNSIGNED
        return Kind(
            f"{bits}-bit {'' if unsigned else 'signed '}integers", None, "uint32" if unsigned else None, inverted
        )
    bits = min(bits, 16)
    return Kind(f"{bits}-bit integers", (0, 2**bits - 1), inverted=inverted)


def read_values(image: Image.Image, kind: Kind) -> npt.NDArray[Any]:
    """Return the values ``(H, W)`` of an image beyond 8 bits.

    Raises:
        ValueError: If some are not finite.
    """
    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not finite")
    return values if kind.view is None else values.view(kind.view)


def scale_values(
    image: Image.Image, kind: Kind, value_range: ValueRange | None, transparent: int | None = None
) -> Image.Image:
    """Scale an image's values to bytes; a transparent value becomes white.

    Raises:
        UnknownRangeError: If neither the file nor ``value_range`` tells the range.
    """
    span = value_range or kind.range
    if span is None:
        raise UnknownRangeError(f"it holds {kind.name} of unknown range")
    values = read_values(image, kind)
    share = ((values.astype(np.float64) - span[0]) / (span[1] - span[0])).clip(0, 1)
    if kind.inverted:
        share = 1 - share
    if transparent is not None:
        share[values == transparent] = 1
    return Image.fromarray((share * 255).round().astype(np.uint8))


class SeenValues:
    """Extremes of the values in a data set, by kind."""

    def __init__(self) -> None:
        self.kinds: dict[Kind, Extremes] = {}

    @classmethod
    def from_json(cls, values: Iterable[Any]) -> Self:
        """Return what ``to_json`` has returned plain values of."""
        seen = cls()
        for (name, span, view, inverted), found in values:
            seen.kinds[Kind(name, span and tuple(span), view, inverted)] = Extremes(*found)
        return seen

    def to_json(self) -> list[Any]:
        """Return plain values."""
        return [[list(kind), list(found)] for kind, found in self.kinds.items()]

    def join(self, other: "SeenValues") -> None:
        """Add what another split holds."""
        for kind, found in other.kinds.items():
            known = self.kinds.get(kind, Extremes(0, found.low, found.high))
            self.kinds[kind] = Extremes(
                known.num_images + found.num_images, min(known.low, found.low), max(known.high, found.high)
            )

    def convert(
        self, image: Image.Image, function: Callable[[Image.Image], npt.NDArray[np.uint8]]
    ) -> npt.NDArray[np.uint8]:
        """Return the bytes that a function makes of an image, and add its values."""
        kind = find_kind(image)
        if kind != EIGHT_BITS:
            self.add(kind, read_values(image, kind))
        pixels = function(image)
        if kind == EIGHT_BITS:
            self.add(kind, pixels)
        return pixels

    def add(self, kind: Kind, values: npt.NDArray[Any]) -> None:
        """Add an image's values; several threads call this."""
        image = SeenValues()
        image.kinds[kind] = Extremes(1, float(values.min()), float(values.max()))
        with ADDING:
            self.join(image)

    def check(self, value_range: ValueRange | None) -> None:
        """Refuse images whose range neither their files nor ``value_range`` tells.

        Raises:
            SlimGANError: If there are such.
        """
        for kind, seen in sorted(self.kinds.items(), key=str):
            if value_range is None and kind.range is None:
                example = show_range(guess_range(seen.low, seen.high))
                raise SlimGANError(
                    f"{describe(kind, seen)}, whose range the files do not tell",
                    {"data.value_range": f"give the values of black and white, for example {{}} '{example}'"},
                )

    def warnings(self, value_range: ValueRange | None) -> list[str]:
        """Return sentences about images nearly black or clipped, or an unused ``value_range``."""
        found = []
        for kind, seen in sorted(self.kinds.items(), key=str):
            span = kind.range if value_range is None or kind == EIGHT_BITS else value_range
            assert span is not None  # by check
            if seen.low < span[0] or seen.high > span[1]:
                clipped = f"what lies outside --data.value_range '{show_range(span)}' is clipped"
                found.append(f"{describe(kind, seen)}; {clipped}")
            if seen.high - span[0] < DARK * (span[1] - span[0]):
                example = show_range(guess_range(seen.low, seen.high))
                fix = "brighten the files" if kind == EIGHT_BITS else f"give --data.value_range '{example}'"
                shades = ("white", "black") if kind.inverted else ("black", "white")
                found.append(
                    f"{describe(kind, seen)}, nearly {shades[0]} where {span[1]:g} is {shades[1]}; {fix} unless this "
                    "is meant"
                )
        if value_range is not None and self.kinds.keys() == {EIGHT_BITS}:
            found.append("--data.value_range is not used: no training or test image holds more than 8 bits")
        return found


def describe(kind: Kind, seen: Extremes) -> str:
    return f"the values in {seen.num_images} of the images are {kind.name} from {seen.low:.6g} to {seen.high:.6g}"


def guess_range(low: float, high: float) -> ValueRange:
    """Return the first common range that holds both values, or the values.

    >>> guess_range(0.002, 0.97), guess_range(0, 4000), guess_range(-300, 2)
    ((0.0, 1.0), (0.0, 4095.0), (-300, 2))
    """
    return next((span for span in COMMON if span[0] <= low and high <= span[1]), (low, high))


def show_range(span: ValueRange) -> str:
    return f"[{span[0]:.10g}, {span[1]:.10g}]"
