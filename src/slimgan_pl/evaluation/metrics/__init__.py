"""Metrics of generated images, one file each."""

__all__ = ["LOWER_IS_BETTER"]

LOWER_IS_BETTER = ("fid", "kid", "mic")
