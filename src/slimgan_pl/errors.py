"""Exception for mistakes of the user, and its warning."""

import math
import sys
import warnings
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["MAX_SEED", "SlimGANError", "SlimGANWarning", "cause_of", "check_choice", "check_range", "lacks_memory"]

MAX_SEED = 2**63 - 1  # that PyTorch takes

ErrorType = TypeVar("ErrorType", bound=BaseException)


class SlimGANError(ValueError):
    """Mistake that the user can correct; the message is `problem; fix`.

    The command prints the sentence alone and exits with a non-zero status; any other exception is a bug and keeps its
    traceback.
    """


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise a SlimGANError unless a setting is one of its choices."""
    if value not in choices:
        raise SlimGANError(f"{name} is {value!r}; choose one of {', '.join(choices)}")


def check_range(name: str, value: float, low: float, high: float = sys.float_info.max) -> None:
    """Raise a SlimGANError unless a number lies between two bounds or is one of them; NaN and infinity never do."""
    if not low <= value <= high:
        bounds = f"at least {low:,}" + (f" and at most {high:,}" if high < sys.float_info.max else "")
        finite = "" if math.isfinite(value) else "a finite number of "
        raise SlimGANError(f"{name} is {value}; it has to be {finite}{bounds}")


def lacks_memory(error: BaseException) -> bool:
    """Return whether the memory of the GPU or the machine is too small."""
    messages = ("allocate memory", "not enough memory", "Storage size calculation overflowed")
    names = {kind.__name__ for kind in type(error).__mro__}  # by name, as PyTorch need not be imported
    return not names.isdisjoint({"MemoryError", "OutOfMemoryError"}) or any(text in str(error) for text in messages)


class SlimGANWarning(UserWarning):
    """Warning for the user in one sentence; the command prints the sentence alone."""


def cause_of(error: BaseException, kind: type[ErrorType]) -> ErrorType | None:
    """Return the first error of a class in a chain of causes, or None."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def __getattr__(name: str) -> object:
    if name == "UserError":
        warnings.warn("UserError is now SlimGANError", DeprecationWarning, stacklevel=2)
        return SlimGANError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
