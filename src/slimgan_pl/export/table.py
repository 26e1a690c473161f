"""Exported files as a table for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from slimgan_pl.export.exported_file import ExportedFile

__all__ = ["make_table"]


def make_table(files: Sequence[ExportedFile]) -> Table:
    """Make a table with a row for each file and width."""
    table = Table(title="Exported, against PyTorch in float32", box=SIMPLE_HEAD, pad_edge=False)
    has_distances = any(error.distance is not None for file in files for error in file.errors)
    heads = ["file", "size", "width", "largest\nerror", "RMS\nerror", *(("FID", "change") if has_distances else ())]
    for head in heads:
        table.add_column(head, justify="left" if head == "file" else "right", no_wrap=True)
    for file in files:
        head = (file.name, megabytes(file.bytes))
        for error in file.errors:
            cells = [*head, f"{error.width:g}", f"{error.max_abs:.1e}", f"{error.rms:.1e}"]
            if error.distance is not None and error.distance_change is not None:
                cells += [f"{error.distance:.4g}", f"{error.distance_change:+.2g}"]
            table.add_row(*cells)
            head = ("", "")
    return table


def megabytes(count: int) -> str:
    """Return a size.

    >>> megabytes(1_234_567), megabytes(45_600)
    ('1.23 MB', '0.0456 MB')
    """
    return f"{count / 1e6:.3g} MB"
