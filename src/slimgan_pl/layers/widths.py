"""Widths of a net, and the channels that each keeps."""

import math
from collections.abc import Sequence

from torch import Tensor

from slimgan_pl.errors import SlimGANError

TOLERANCE = 1e-5  # relative, so that a width printed with six digits is still that width

__all__ = ["check_labels", "check_multiple", "check_widths", "scale_channels", "width_index"]


def check_widths(widths: Sequence[float]) -> tuple[float, ...]:
    """Check a list of widths, and return it as a tuple.

    Raises:
        SlimGANError: If the list is empty, not strictly ascending, not positive, or does not end in 1.0.

    >>> check_widths([0.25, 1])
    (0.25, 1.0)
    """
    result = tuple(float(width) for width in widths)
    ascending = all(low < high for low, high in zip((0.0, *result), result, strict=False))
    if not result or not ascending or result[-1] != 1.0:
        raise SlimGANError(
            f"widths must ascend from above 0 and end in 1.0, for example [0.25, 0.5, 1.0]; got {widths}"
        )
    return result


def scale_channels(channels: int, width: float, layer: str = "layer") -> int:
    """Return the channels that are active at a width.

    Args:
        channels: Channels at width 1.0.
        width: Share of them that is active, in (0, 1].
        layer: Name for the error message.

    Raises:
        SlimGANError: If the width does not divide the channels exactly.

    >>> scale_channels(64, 0.75)
    48
    """
    active = round(channels * width)
    if active < 1 or not math.isclose(active, channels * width, rel_tol=TOLERANCE):
        raise SlimGANError(
            f"{layer}: {channels} channels at width {width:g} would be {channels * width:g}; "
            "choose channels that every width divides into whole numbers"
        )
    return active


def check_multiple(channels: Sequence[int], unit: int, widths: Sequence[float] = (1.0,)) -> None:
    """Raise a SlimGANError where a width's channels are no multiple of a unit, such as those of a group."""
    for width in widths:
        for stage, number in enumerate(channels):
            active = scale_channels(number, width, f"stage {stage}")
            if active % unit:
                raise SlimGANError(
                    f"stage {stage} has {active} channels at width {width:g}, which are no whole groups of {unit}; "
                    f"{advise_width(channels, unit, width)}"
                )


def advise_width(channels: Sequence[int], unit: int, width: float) -> str:
    """Return what to do where channels at a width are no multiple of a unit.

    >>> advise_width([160, 80], 8, 0.25), advise_width([160, 84], 8, 0.25)
    ('choose widths such as 0.2 or 0.3, or more channels', 'choose channels that are multiples of 8')
    """
    if any(number % unit for number in channels):
        return f"choose channels that are multiples of {unit}"
    steps = math.gcd(*(number // unit for number in channels))
    near = sorted({math.floor(width * steps), math.ceil(width * steps)} - {0})
    return f"choose widths such as {' or '.join(f'{step / steps:g}' for step in near)}, or more channels"


def width_index(widths: Sequence[float], width: float) -> int:
    """Return the position of a width in the list.

    Raises:
        SlimGANError: If the width is not in the list.

    >>> width_index((0.25, 0.5, 1.0), 0.5)
    1
    """
    for index, candidate in enumerate(widths):
        if abs(candidate - width) <= TOLERANCE * candidate:  # math.isclose cannot be compiled
            return index
    known = ", ".join(f"{candidate:g}" for candidate in widths)
    raise SlimGANError(f"width {width:g} is not one of this generator's widths: {known}")


def check_labels(labels: Tensor | None, num_classes: int, net: str) -> None:
    """Raise a SlimGANError if labels are missing or not expected."""
    if num_classes and labels is None:
        raise SlimGANError(f"this {net} is conditional: give labels from 0 to {num_classes - 1}")
    if not num_classes and labels is not None:
        raise SlimGANError(f"this {net} has no classes: leave the labels out")
