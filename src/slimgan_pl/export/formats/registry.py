"""Formats by their names."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, get_args

from slimgan_pl.errors import SlimGANError, check_choice
from slimgan_pl.export import formats
from slimgan_pl.export.formats import Precision
from slimgan_pl.export.formats.base import Format

__all__ = ["load_format", "make_format"]


def load_format(name: str) -> type[Format]:
    """Import the class of a format, which imports nothing of its extra.

    Raises:
        SlimGANError: If there is no format of this name.
    """
    check_choice("--format", name, formats.FORMATS)
    found: type[Format] = import_module(f"{formats.__name__}.{name.replace('-', '_')}").FORMAT
    return found


def make_format(name: str, precision: Precision, width: float | str = "all", **options: Any) -> Format:
    """Build a format with the settings of one export.

    Args:
        name: Its name.
        precision: Of the weights.
        width: A width, or ``all``.
        options: Options that only some formats have; None and False stand for options that were not given.

    Raises:
        SlimGANError: If there is no such format, or it does not go with a setting.
    """
    chosen = load_format(name)
    check_choice("--precision", precision, get_args(Precision))
    if precision not in chosen.precisions:
        others = names_of(lambda each: precision in each.precisions)
        raise SlimGANError(f"--format {name} cannot hold {precision}; take --format {others}")
    if width != "all" and not chosen.is_per_width:
        others = names_of(lambda each: each.is_per_width)
        raise SlimGANError(f"--format {name} holds all widths; leave --width out, or take --format {others}")
    given = {option: value for option, value in options.items() if value not in (None, False)}
    foreign = next((option for option in given if option not in chosen.options), None)
    if foreign is not None:
        others = names_of(lambda each: foreign in each.options)
        raise SlimGANError(f"--{foreign} is for --format {others}; leave it out")
    return chosen(precision, **given)


def names_of(is_meant: Callable[[type[Format]], bool]) -> str:
    """Return the names of some formats, joined by "or"."""
    return " or ".join(name for name in formats.FORMATS if is_meant(load_format(name)))
