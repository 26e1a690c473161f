"""The exception for mistakes of the user."""

__all__ = ["SlimGANError", "UserError"]


class SlimGANError(ValueError):
    """Mistake that the user can correct; the message is `problem; fix`."""


UserError = SlimGANError  # its name in version 0.1.0
