"""The one exception that stands for a mistake of the user, and the one warning."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

__all__ = ["SlimGANWarning", "UserError", "cause_of", "check_choice", "is_out_of_memory", "show_in_one_line"]

ErrorType = TypeVar("ErrorType", bound=BaseException)


class UserError(ValueError):
    """Something the user can mend, told in one sentence that says what to do.

    The command prints the sentence alone and exits with a non-zero status; any other exception is a bug and keeps its
    traceback.
    """


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise a UserError unless a setting is one of its choices."""
    if value not in choices:
        raise UserError(f"{name} is {value!r}; choose one of {', '.join(choices)}")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a GPU's or the machine's memory is too small."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


class SlimGANWarning(UserWarning):
    """Something the user should know, told in one sentence; the command prints the sentence alone."""


def cause_of(error: BaseException, kind: type[ErrorType]) -> ErrorType | None:
    """Return the error of a kind that led to an error, or that it is, or None."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def show_in_one_line(show: Callable[..., None]) -> Callable[..., None]:
    """Return what prints this package's warnings as one sentence, and others as ``show`` does."""

    def show_ours(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if issubclass(category, SlimGANWarning):
            print(f"slimgan: warning: {message}", file=sys.stderr)
        else:
            show(message, category, *where)

    return show_ours
