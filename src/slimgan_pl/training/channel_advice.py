"""Schedules of channels that fit another image size."""

from collections.abc import Sequence
from typing import Any

from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator
from slimgan_pl.utils.recipes import plain

__all__ = ["advise_schedules", "near_sizes"]

MIN_BOTTOM = 4  # pixels a side at which a stem starts


def advise_schedules(generator: SlimmableGenerator, bank: DiscriminatorBank, image_size: int) -> str:
    """Return options that fit both nets to an image size, or nothing.

    The present schedules are cut or extended, so that every width divides them.
    """
    of_generator, of_bank = generator.arguments, bank.arguments
    if "channels" not in of_generator or "channels" not in of_bank:
        return ""
    doublings = count_doublings(image_size)
    bottom = image_size >> doublings
    takes_bottom = "bottom_size" in of_generator
    if not takes_bottom and (bottom != generator.fixed_bottom or doublings == 0):
        return ""
    options: dict[str, Any] = {}
    if generator.image_size != image_size:
        unit = of_generator.get("group_size", 2) // 2
        options["generator.channels"] = resize_schedule(of_generator["channels"], doublings + 1, generator.widths, unit)
        if takes_bottom:
            options["generator.bottom_size"] = bottom
    if bank.image_size not in (None, image_size):
        unit = of_bank.get("group_size", 2) // 2
        mirrored = resize_schedule(of_bank["channels"][::-1], doublings + 1, (1.0,), unit)
        options["discriminators.channels"] = mirrored[::-1]
        if "bottom_size" in of_bank:
            options["discriminators.bottom_size"] = bottom
        stages = 2 * doublings + 1 if "bottom_size" in of_bank else doublings
        if of_bank.get("num_shared", 0) > stages:
            options["discriminators.num_shared"] = stages
    if "num_downsamples" in of_bank and image_size % bank.image_multiple:
        options["discriminators.num_downsamples"] = min(doublings, of_bank["num_downsamples"])
    present = {f"generator.{name}": value for name, value in of_generator.items()}
    present |= {f"discriminators.{name}": value for name, value in of_bank.items()}
    changed = {name: value for name, value in options.items() if value != plain(present[name])}
    texts = {name: f'"{value}"' if isinstance(value, list) else value for name, value in changed.items()}
    return " ".join(f"--model.{name} {text}" for name, text in texts.items())


def near_sizes(image_size: int, bottom: int) -> tuple[int, int]:
    """Return the nearest sides below and above that are ``bottom``, doubled some times.

    >>> near_sizes(100, 4), near_sizes(3, 4), near_sizes(128, 4)
    ((64, 128), (4, 8), (128, 256))
    """
    below = bottom
    while 2 * below <= image_size:
        below *= 2
    return below, 2 * below


def count_doublings(image_size: int) -> int:
    """Return how often a side halves to four pixels or more.

    >>> [count_doublings(size) for size in (128, 96, 28, 33)]
    [5, 4, 2, 0]
    """
    doublings = 0
    while image_size % 2 == 0 and image_size // 2 >= MIN_BOTTOM:
        image_size, doublings = image_size // 2, doublings + 1
    return doublings


def resize_schedule(channels: Sequence[int], length: int, widths: Sequence[float], unit: int = 1) -> list[int]:
    """Return the end of a falling schedule, or its continuation by halves.

    Where a half is no number of which every width has a multiple of ``unit``, or the schedule is level, the last entry
    is repeated.

    >>> resize_schedule([512, 256, 128], 2, (0.5, 1.0)), resize_schedule([24, 12], 4, (0.25, 1.0))
    ([256, 128], [24, 12, 12, 12])
    """
    found = list(channels)[-length:]
    while len(found) < length:
        half, is_odd = divmod(found[-1], 2)
        is_level = len(found) > 1 and found[-1] == found[-2]
        is_divided = all(float(half * width / unit).is_integer() and half * width >= 1 for width in widths)
        found.append(half if is_divided and not is_odd and not is_level else found[-1])
    return found
