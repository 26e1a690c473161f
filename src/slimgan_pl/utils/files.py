"""Atomic writing of files, checksums, and warnings for full disks."""

import hashlib
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from slimgan_pl.errors import SlimGANError, SlimGANWarning, cause_of

__all__ = [
    "check_folder",
    "continuing_without",
    "default_cache_dir",
    "file_sha256",
    "reason_of",
    "replacing",
    "threads_without_traceback",
    "write_whole",
]


def check_folder(folder: Path) -> None:
    """Raise a SlimGANError if a file prevents the creation of a folder."""
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise SlimGANError(f"{path} is a file, so nothing can be written below it; name another --output")


@contextmanager
def replacing(path: Path, is_contended: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file, then sync and move it to its place.

    Args:
        path: The place; an existing file stays until the new one is complete, also if the process is killed.
        is_contended: Whether other processes may write the same file at the same time. A kill then leaves a temporary
            file; otherwise the next one replaces it.
    """
    scratch = path.with_name(f".{path.name}-{uuid4().hex}" if is_contended else f".{path.name}.part")
    try:
        with scratch.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):  # a read-only disk
            scratch.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes, is_contended: bool = False) -> None:
    """Write a file by :func:`replacing`."""
    with replacing(path, is_contended) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Sync a folder against power cuts, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network filesystems refuse
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reason_of(error: OSError) -> str:
    """Return the system's reason, such as ``No space left on device``."""
    return error.strerror or str(error)


@contextmanager
def continuing_without(what: str) -> Iterator[None]:
    """Turn a failure to write into a warning that starts with ``what``."""
    try:
        yield
    except Exception as error:  # libraries raise errors of their own for a full disk
        cause = cause_of(error, OSError)
        if cause is None:
            raise
        warnings.warn(
            f"{what} could not be written ({reason_of(cause)}); make room or give write access there; "
            "the run continues without it",
            SlimGANWarning,
            stacklevel=3,
        )


@contextmanager
def threads_without_traceback() -> Iterator[None]:
    """Silence threads that cannot write; their owner reports the error later."""
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if not isinstance(args.exc_value, OSError):
            before(args)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256, as ``sha256sum`` prints it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def default_cache_dir() -> Path:
    """Return ``slimgan-pl`` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slimgan-pl"
