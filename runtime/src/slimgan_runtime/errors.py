"""The exception for mistakes of the user."""

__all__ = ["SlimGANError", "UserError"]


class SlimGANError(ValueError):
    """Something the user can mend, told in one sentence that says what to do."""


UserError = SlimGANError  # its name in version 0.1.0
