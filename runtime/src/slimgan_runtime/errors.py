"""The one exception that stands for a mistake of the user."""

__all__ = ["UserError"]


class UserError(ValueError):
    """Something the user can mend, told in one sentence that says what to do."""
