"""Exception for mistakes of the user, and its warning."""

import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import TypeVar

__all__ = ["MAX_SEED", "SlimGANError", "SlimGANWarning", "cause_of", "check_choice", "check_range", "lacks_memory"]

MAX_SEED = 2**63 - 1  # that PyTorch takes

ErrorType = TypeVar("ErrorType", bound=BaseException)


class SlimGANError(ValueError):
    """Mistake that the user can correct; the message is `problem; fix`.

    The command prints the sentence alone and exits with a non-zero status; any other exception is a bug and keeps its
    traceback.

    Args:
        problem: The sentence ``problem; fix``, or the problem alone if ``fixes`` are given.
        fixes: The fix by each setting, with ``{}`` in place of its option; by ``""`` one that needs no setting.

    >>> error = SlimGANError("no folder x", {"data.root": "name one with {}", "data.download": "set {} true"})
    >>> print(error)
    no folder x; name one with --data.root or set --data.download true
    >>> print(error.with_options({"data.root": "--data_root"}))
    no folder x; name one with --data_root
    """

    def __init__(self, problem: str = "", fixes: Mapping[str, str] | None = None) -> None:
        self.problem, self.fixes = problem, dict(fixes or {})
        told = [fix.replace("{}", f"--{name}") for name, fix in self.fixes.items()]
        joined = " or ".join(told) if len(told) < 3 else f"{', '.join(told[:-1])}, or {told[-1]}"
        super().__init__(f"{problem}; {joined}" if told else problem)

    def with_options(self, options: Mapping[str, str]) -> "SlimGANError":
        """Return the error with the fixes that a command offers.

        ``options`` holds by the name of a setting the command's option, or a whole fix of its own.
        """
        told = {name: fix for name, fix in self.fixes.items() if name in options or not name}
        for name in filter(None, told):
            told[name] = options[name] if " " in options[name] else told[name].replace("{}", options[name])
        return SlimGANError(self.problem, told)


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise a SlimGANError unless a setting is one of its choices."""
    if value not in choices:
        raise SlimGANError(f"{name} is {value!r}; choose one of {', '.join(choices)}")


def check_range(name: str, value: float, low: float, high: float = sys.float_info.max) -> None:
    """Raise a SlimGANError unless a number is finite and within inclusive bounds."""
    if not low <= value <= high:
        bounds = f"at least {low:,}" + (f" and at most {high:,}" if high < sys.float_info.max else "")
        finite = "" if math.isfinite(value) else "a finite number of "
        raise SlimGANError(f"{name} is {value}; it has to be {finite}{bounds}")


def lacks_memory(error: BaseException) -> bool:
    """Return whether an error means that memory is too small."""
    messages = ("allocate memory", "not enough memory", "Storage size calculation overflowed")
    names = {kind.__name__ for kind in type(error).__mro__}  # by name, as PyTorch need not be imported
    return not names.isdisjoint({"MemoryError", "OutOfMemoryError"}) or any(text in str(error) for text in messages)


class SlimGANWarning(UserWarning):
    """Warning for the user; the command prints its sentence alone."""


def cause_of(error: BaseException, kind: type[ErrorType]) -> ErrorType | None:
    """Return the first error of a class in a chain of causes."""
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
