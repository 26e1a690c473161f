"""Data sets as arrays of bytes: built once from a source, then memory-mapped.

Shape legend: N images, C channels, H = W pixels a side.
"""

import hashlib
import json
import os
import shutil
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from rich.progress import track

__all__ = ["ByteArray", "ImageSource", "default_cache_dir", "open_byte_array"]

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
    """Return a source's images from the cache, after building them there if they are not yet."""
    digest = hashlib.sha256(json.dumps([FORMAT, source.key], sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_dir / f"{name}-{digest}"
    cached = _load(folder)
    if cached is None:
        _build(source, name, folder)
        cached = _load(folder)
        if cached is None:
            raise OSError(f"{folder} cannot be read back; is another program changing it?")
    return cached


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
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.parent / f".{folder.name}-{uuid4().hex}"
    scratch.mkdir()  # with the user's own mode, so that a cache can be shared
    try:
        shape = (len(source), *source.read(0).shape)
        images = np.lib.format.open_memmap(scratch / "images.npy", "w+", np.uint8, shape)
        with ThreadPoolExecutor() as pool:
            rows = pool.map(source.read, range(len(source)))
            for index, image in enumerate(track(rows, f"Reading {name}", len(source), transient=True)):
                images[index] = image
        images.flush()
        if source.labels is not None:
            np.save(scratch / "labels.npy", source.labels)
        _put_in_place(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _put_in_place(scratch: Path, folder: Path) -> None:
    """Move a finished array to its place, unless another process has put a whole one there meanwhile."""
    try:
        os.replace(scratch, folder)
    except OSError:
        if _load(folder) is None:  # a broken one
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(scratch, folder)
