"""Contract of an exported file: inputs and widths from its metadata."""

import json
import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from slimgan_runtime.errors import SlimGANError

__all__ = ["IMAGES", "LABELS", "LATENTS", "WIDTH", "Contract", "read_contract"]

KEY = "slimgan"  # of the metadata of an exported file
NEWEST = 1
LATENTS, LABELS, WIDTH, IMAGES = "latents", "labels", "width", "images"  # names of inputs and of the output


class Contract(NamedTuple):
    """Inputs and images of a file: ascending ``widths``, ``image_shape`` ``(C, H, W)``.

    ``classes`` are their names, in the order of their labels.
    """

    widths: tuple[float, ...]
    latent_dim: int
    num_classes: int
    image_shape: tuple[int, int, int]
    classes: tuple[str, ...] = ()


def read_contract(metadata: Mapping[str, str], inputs: Collection[str], file: str) -> Contract:
    """Read the contract in the metadata of a file with such inputs.

    Raises:
        SlimGANError: If slimgan-pl did not write it, or a later one than this package knows, or it is damaged.
    """
    try:
        values = json.loads(metadata[KEY])
        version = values["version"]
    except (KeyError, TypeError, ValueError):
        raise SlimGANError(f"{file} says nothing of slimgan-pl; give a file that slimgan export wrote") from None
    if isinstance(version, int) and version > NEWEST:
        raise SlimGANError(f"{file} is of a later slimgan-pl (format {version}); install a later slimgan-runtime")
    try:
        contract = parse(values)
    except (KeyError, TypeError, ValueError):
        contract = None
    if contract is None or version != NEWEST or not goes_with(contract, inputs):
        raise SlimGANError(f"what {file} says of itself is damaged; export it again")
    return contract


def parse(values: Mapping[str, Any]) -> Contract | None:
    """Return the values as a contract, or None for invalid ones."""
    size = whole(values["image_size"])
    widths = tuple(float(width) for width in values["widths"])
    shape = (whole(values["image_channels"]), size, size)
    num_classes = whole(values["num_classes"])
    numbers = [str(number) for number in range(num_classes)]  # of files of earlier versions
    classes = tuple(map(str, values["classes"]["names"] if "classes" in values else numbers))
    contract = Contract(widths, whole(values["latent_dim"]), num_classes, shape, classes)
    ascending = all(low < high for low, high in zip((0.0, *widths), widths, strict=False))
    positive = min(contract.latent_dim, *shape) > 0 and num_classes >= 0 and len(classes) == num_classes
    return contract if widths and ascending and math.isfinite(widths[-1]) and positive else None


def whole(value: object) -> int:
    """Return a whole number, or raise a TypeError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def goes_with(contract: Contract, inputs: Collection[str]) -> bool:
    """Return whether a file's inputs match its contract."""
    expected = {LATENTS} | ({LABELS} if contract.num_classes else set())
    return set(inputs) == expected | {WIDTH} or (set(inputs) == expected and len(contract.widths) == 1)
