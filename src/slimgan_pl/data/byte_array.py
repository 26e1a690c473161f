"""Data sets as arrays of bytes: built once from a source, then memory-mapped.

Shape legend: N images, C channels, H = W pixels a side.
"""

import errno
import hashlib
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from rich.progress import track

from slimgan_pl.errors import UserError

__all__ = ["ByteArray", "ImageSource", "default_cache_dir", "open_byte_array"]

CHUNK = 16  # images that a thread reads at a time

MAX_AHEAD = 64  # chunks that are read before they are written

FORMAT = 1  # part of every key: raise it when the conversion changes


class ByteArray(NamedTuple):
    """Memory-mapped images ``(N, C, H, W)``, uint8, and their labels ``(N,)``, int64, or None.

    The folder they lie in, if they do, is named for all that the bytes depend on.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None
    folder: Path | None = None


class ImageSource(ABC):
    """One split of a data set, as something to read from: its images one by one, and all labels."""

    labels: npt.NDArray[np.int64] | None = None

    @property
    @abstractmethod
    def key(self) -> dict[str, Any]:
        """All that the bytes depend on, as plain values: source, split, size, transform."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of images."""

    @abstractmethod
    def read(self, index: int) -> npt.NDArray[np.uint8]:
        """Return one image ``(C, H, W)``. It is called from several threads."""


def default_cache_dir() -> Path:
    """Return the folder for arrays where none is given: ``slimgan-pl`` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slimgan-pl"


def open_byte_array(source: ImageSource, name: str, cache_dir: Path) -> ByteArray:
    """Return a source's images from the cache, after building them there if they are not yet.

    One process builds, and others that want the same array wait for it.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, source.key], sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_dir / f"{name}-{digest}"
    cached = _load(folder)
    if cached is None:
        cache_dir.mkdir(parents=True, exist_ok=True)
        lock = cache_dir / f".{folder.name}.lock"
        with _locked(lock, name):
            cached = _load(folder)
            if cached is None:
                _build(source, name, folder)
                cached = _load(folder)
            lock.unlink(missing_ok=True)  # who waits for it finds the array
        if cached is None:
            raise OSError(f"{folder} cannot be read back; is another program changing it?")
    return cached


@contextmanager
def _locked(path: Path, name: str) -> Iterator[None]:
    """Be the only process that builds; the system frees the lock of one that was killed."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Waiting for another process that reads {name}", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _load(folder: Path) -> ByteArray | None:
    """Return the array of a folder, or None if it is missing or not whole."""
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npy") if (folder / "labels.npy").exists() else None
    except (OSError, ValueError, EOFError):
        return None
    return ByteArray(images, labels, folder) if labels is None or len(labels) == len(images) else None


def _build(source: ImageSource, name: str, folder: Path) -> None:
    """Write a source's array into a folder beside its place, then move it there: it is whole or absent."""
    scratch = folder.parent / f".{folder.name}.part"
    shutil.rmtree(scratch, ignore_errors=True)  # of a build that was killed
    scratch.mkdir()  # with the user's own mode, so that a cache can be shared
    try:
        first = source.read(0)
        _check_room(folder.parent, len(source) * first.nbytes, name)
        with (scratch / "images.npy").open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(source), *first.shape)}
            np.lib.format.write_array_header_1_0(file, header)
            with closing(_read_in_order(source)) as images:
                for image in track(images, f"Reading {name}", len(source), transient=True):
                    file.write(image.tobytes())
        if source.labels is not None:
            np.save(scratch / "labels.npy", source.labels)
        if folder.exists():  # a broken one
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _no_room(folder.parent, len(source) * first.nbytes, name) from error
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _read_in_order(source: ImageSource) -> Generator[npt.NDArray[np.uint8], None, None]:
    """Yield all images, which as many threads as there are cores read a little ahead."""

    def read(start: int) -> list[npt.NDArray[np.uint8]]:
        return [source.read(index) for index in range(start, min(start + CHUNK, len(source)))]

    ahead: deque[Future[list[npt.NDArray[np.uint8]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # more would wait for each other
        try:
            for start in range(0, len(source), CHUNK):
                ahead.append(pool.submit(read, start))
                if len(ahead) == MAX_AHEAD:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _check_room(folder: Path, num_bytes: int, name: str) -> None:
    if shutil.disk_usage(folder).free < num_bytes:
        raise _no_room(folder, num_bytes, name)


def _no_room(folder: Path, num_bytes: int, name: str) -> UserError:
    needed, free = num_bytes / 1e9, shutil.disk_usage(folder).free / 1e9
    return UserError(
        f"the bytes of {name} take {needed:.3g} GB, and {folder} has {free:.3g} GB left; free some, or name another "
        "folder with --data.cache_dir"
    )
