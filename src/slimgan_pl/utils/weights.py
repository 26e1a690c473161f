"""Choice between averaged and raw weights."""

from typing import Literal

__all__ = ["Weights"]

Weights = Literal["averaged", "raw"]  # averaged ones where there are any
