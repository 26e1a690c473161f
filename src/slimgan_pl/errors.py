"""The one exception that stands for a mistake of the user, and the one warning."""

from collections.abc import Sequence

__all__ = ["SlimGANWarning", "UserError", "check_choice"]


class UserError(ValueError):
    """Something the user can mend, told in one sentence that says what to do.

    The command prints the sentence alone and exits with a non-zero status; any other exception is a bug and keeps its
    traceback.
    """


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise a UserError unless a setting is one of its choices."""
    if value not in choices:
        raise UserError(f"{name} is {value!r}; choose one of {', '.join(choices)}")


class SlimGANWarning(UserWarning):
    """Something the user should know, told in one sentence; the command prints the sentence alone."""
