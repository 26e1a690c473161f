"""Runs as one web page in one file."""

from slimgan_pl.report.command import report

__all__ = ["report"]
