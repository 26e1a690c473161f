"""Checks of arguments, and conversion to the types of exported files."""

import math
import os
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from slimgan_runtime.contract import Contract
from slimgan_runtime.errors import SlimGANError

__all__ = ["as_array", "check_count", "check_labels", "check_latents", "check_path", "check_time", "check_width"]

TOLERANCE = 1e-5  # a width as it is printed, with six digits, is still that width


def check_time(name: str, value: object, wanted: str = "seconds above 0") -> float:
    """Return a finite number above 0, or raise a SlimGANError."""
    time = number(value)
    if not 0 < time < math.inf:
        raise SlimGANError(f"{name} is {briefly(value)}; give a number of {wanted}")
    return time


def check_count(name: str, value: object, low: int = 1, high: int | None = None) -> int:
    """Return a whole number from ``low`` to ``high``, or raise a SlimGANError."""
    wanted = f"of at least {low}" if high is None else f"from {low} to {high}"
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or not low <= int(value) <= (math.inf if high is None else high):  # type: ignore[call-overload]
        raise SlimGANError(f"{name} is {briefly(value)}; give a whole number {wanted}")
    return int(value)  # type: ignore[call-overload,no-any-return]


def check_path(path: object) -> Path:
    """Return text or a path as a path, or raise a SlimGANError."""
    given = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(given, str) or "\0" in given:
        raise SlimGANError(f"path is {briefly(path)}; give the path of an .onnx file or of a folder as text")
    return Path(given)


def check_width(width: object, widths: Sequence[float]) -> float:
    """Return the entry of ``widths`` that equals a number as printed."""
    wanted = number(width)
    for candidate in widths:
        if abs(candidate - wanted) <= TOLERANCE * candidate:
            return candidate
    known = ", ".join(f"{candidate:g}" for candidate in widths)
    shown = f"{wanted:g}" if math.isfinite(wanted) else briefly(width)
    raise SlimGANError(f"width {shown} is not one of the widths that were exported: {known}")


def check_latents(latents: Any, latent_dim: int) -> np.ndarray:
    """Return latents as float32 ``(N, latent_dim)``.

    Raises:
        SlimGANError: If they are not real floats, of another shape, of no image, infinite or not a number.
    """
    values = as_array("latents", latents)
    if values.dtype.kind != "f" or values.ndim != 2 or values.shape[1] != latent_dim:
        found = f"{values.dtype} of shape {values.shape}"
        raise SlimGANError(f"latents are {found}; give floats of shape (N, {latent_dim})")
    if not len(values):
        raise SlimGANError(f"latents are of no image; give at least one row of {latent_dim} floats")
    with np.errstate(over="ignore"):  # what float32 cannot hold is found below
        result = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(result).all():
        raise SlimGANError("latents are not all finite in float32; give numbers such as those of Runtime.latents")
    return result


def check_labels(labels: Any, contract: Contract, count: int) -> np.ndarray | None:
    """Return labels as int64 ``(N,)``, or None of a generator without classes.

    Raises:
        SlimGANError: If they are missing or not expected, not one whole number for each of ``count`` latents, or out of
            range.
    """
    classes = contract.num_classes
    if not classes:
        if labels is not None:
            raise SlimGANError("this generator has no classes; leave labels out")
        return None
    wanted = f"give {count} whole numbers from 0 to {classes - 1}"
    if labels is None:
        raise SlimGANError(f"this generator has {classes} classes and labels are missing; {wanted}")
    values = as_array("labels", labels)
    if values.dtype.kind == "U":
        values = find_numbers(values, contract.classes)
    if values.dtype.kind not in "iu" or values.shape != (count,):
        raise SlimGANError(f"labels are {values.dtype} of shape {values.shape}; {wanted}")
    if values.min() < 0 or values.max() >= classes:
        raise SlimGANError(f"labels go from {values.min()} to {values.max()}; {wanted}")
    return np.ascontiguousarray(values, np.int64)


def find_numbers(names: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the numbers of classes given by name."""
    numbers = {name: number for number, name in reversed(list(enumerate(classes)))}
    if unknown := [name for name in names.flat if name not in numbers]:
        near = get_close_matches(unknown[0], classes, 3)
        wanted = f"did you mean {' or '.join(near)}?" if near else "give names of Runtime.classes"
        raise SlimGANError(f"labels name a class {briefly(str(unknown[0]))} that is not there; {wanted}")
    return np.array([numbers[name] for name in names.flat], np.int64).reshape(names.shape)


def as_array(name: str, values: Any) -> np.ndarray:
    """Return values as an array, or raise a SlimGANError."""
    try:
        return np.asarray(values)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = briefly(error, show=str)
        raise SlimGANError(f"{name} cannot be read as an array; give a numpy array on the CPU ({reason})") from error


def number(value: object) -> float:
    """Return a real number as a float, perhaps infinite; else NaN."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def briefly(value: object, show: Callable[[object], str] = repr) -> str:
    """Return a value as one line of an error message."""
    try:
        text = " ".join(show(value).split())
    except ValueError:  # Python writes no whole number of more than 4300 digits
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= 120 else f"{text[:120]}..."
