"""Atomic writing of files, checksums, and warnings for full disks."""

import errno
import hashlib
import os
import shutil
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
    "describe_os_error",
    "file_sha256",
    "filling_folder",
    "reason_of",
    "remedy_of",
    "replacing",
    "temporary_path",
    "threads_without_traceback",
    "write_whole",
    "writing_output",
]

MAX_NAME = 255  # bytes of a file's name, on nearly all filesystems

REMEDIES = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EROFS: "give write access there",
    errno.EISDIR: "move that folder away",
    errno.EEXIST: "move that file away",
    errno.ENOTDIR: "move that file away",
}


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
    scratch = path.with_name(f".{uuid4().hex}.part") if is_contended else temporary_path(path)
    try:
        with scratch.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(scratch)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # the name that the user knows
    finally:
        with suppress(OSError):  # a read-only disk
            scratch.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Return the hidden place of an incomplete file or folder.

    >>> temporary_path(Path("runs/last.ckpt")).name, temporary_path(Path(255 * "x")).name
    ('.last.ckpt.part', '.d22609da3ae3956c.part')
    """
    name = f".{path.name}.part"
    if len(os.fsencode(name)) > MAX_NAME:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.part"
    return path.with_name(name)


@contextmanager
def filling_folder(folder: Path) -> Iterator[Path]:
    """Fill a hidden folder, then move its files to their places.

    Files of the same names are replaced, others stay. A failure changes nothing, and after a kill the next run replaces
    the hidden folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / ".part"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
        for file in sorted(path for path in scratch.rglob("*") if path.is_file()):
            place = folder / file.relative_to(scratch)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        with suppress(OSError):  # the folder is not empty
            folder.rmdir()


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


def remedy_of(error: OSError) -> str:
    """Return what the user can do about a failure to write."""
    return REMEDIES.get(error.errno or 0, "make room or give write access there")


def describe_os_error(error: OSError) -> str:
    """Return an error of the system as the sentence ``problem; fix``."""
    if error.errno is None:
        return str(error)  # a library's own sentence
    if error.filename is None:
        fix = REMEDIES.get(error.errno, "try again, or see where with SLIMGAN_DEBUG=1")
        return f"the system refuses what the command needs ({reason_of(error)}); {fix}"
    names = " and ".join(os.fsdecode(name) for name in (error.filename, error.filename2) if name is not None)
    fix = REMEDIES.get(error.errno, "check that it is there and that you may read and write it")
    return f"{names} cannot be used ({reason_of(error)}); {fix}"


@contextmanager
def writing_output(what: str, path: object) -> Iterator[None]:
    """Turn a failure to write a command's ``--output`` into one sentence.

    Raises:
        SlimGANError: If the system refuses.
    """
    try:
        yield
    except OSError as error:
        inside = error.filename if error.errno == errno.EISDIR and error.filename else path
        fix = f"{remedy_of(error)}, or name another --output"
        raise SlimGANError(f"{what} could not be written to {inside} ({reason_of(error)}); {fix}") from error


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
            f"{what} could not be written ({reason_of(cause)}); {remedy_of(cause)}; the run continues without it",
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
