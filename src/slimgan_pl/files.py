"""Files that are whole or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path, is_contended: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write beside its place, sync it and move it there, so that a kill never leaves half of it.

    Args:
        path: The place; what is there stays until the new file is whole.
        is_contended: Whether other processes may write the same file at the same time; what a kill leaves of it then
            stays, where otherwise the next file takes its place.
    """
    scratch = path.with_name(f".{path.name}-{uuid4().hex}" if is_contended else f".{path.name}.part")
    try:
        with scratch.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
