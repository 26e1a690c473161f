"""The one exception that stands for a mistake of the user."""

__all__ = ["UserError"]


class UserError(ValueError):
    """Something the user can mend, told in one sentence that says what to do.

    The command prints the sentence alone and exits with a non-zero status; any other exception is a bug and keeps its
    traceback.
    """
