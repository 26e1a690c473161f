"""Data sets as arrays of bytes: built once from a source, then memory-mapped.

Shape legend: N images, C channels, H = W pixels a side.
"""

import errno
import hashlib
import json
import os
import shutil
import warnings
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from rich.progress import track

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.utils.files import file_sha256, replacing

__all__ = ["ByteArray", "ImageSource", "open_byte_array"]

CHUNK = 4  # images that a thread reads at once; an interrupt waits for them

MAX_AHEAD = 8  # chunks per thread that wait to be written

DIGESTS = "sha256.json"  # checksums by file names

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

LOCKS = ".*-" + "[0-9a-f]" * 16 + ".lock"  # named for an array and its digest

FORMAT = 1  # version of the conversion, part of every key: raise it when the bytes change


class ByteArray(NamedTuple):
    """Memory-mapped images ``(N, C, H, W)``, uint8, and their labels ``(N,)``, int64, or None.

    The name of the folder, if there is one, identifies everything that the bytes depend on.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None
    folder: Path | None = None


class ImageSource(ABC):
    """Source of one split of a data set: its images one by one, and all labels."""

    labels: npt.NDArray[np.int64] | None = None

    @property
    @abstractmethod
    def key(self) -> dict[str, Any]:
        """Everything that the bytes depend on, as plain values: source, split, size, transform."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of images."""

    @abstractmethod
    def read(self, index: int) -> npt.NDArray[np.uint8]:
        """Return one image ``(C, H, W)``; several threads call this."""


def open_byte_array(source: ImageSource, name: str, cache_dir: Path, verify: bool = True) -> ByteArray:
    """Return a source's images from the cache; build them there first if necessary.

    One process builds; others that need the same array wait for it.

    Args:
        source: Source of the images.
        name: Prefix of the folder's name.
        cache_dir: Folder for the arrays.
        verify: Whether to verify the checksums of the files; a damaged array is built again.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, source.key], sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_dir / f"{name}-{digest}"
    cached = _load(folder, verify)
    if cached is None:
        if folder.exists():
            message = f"{folder} is damaged or of another version; it is built again"
            warnings.warn(message, SlimGANWarning, stacklevel=2)
        try:
            cached = _build_once(source, name, folder)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise _no_room(source, name, cache_dir, str(error.strerror)) from error
            raise
    return cached


def _build_once(source: ImageSource, name: str, folder: Path) -> ByteArray:
    """Build an array, or wait for another process that builds it, and return it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _clear_up(folder.parent)
    with _locked(folder.with_name(f".{folder.name}.lock"), name):
        if _load(folder, verify=True) is None:
            _build(source, name, folder)
        built = _load(folder)
    if built is None:
        raise OSError(f"{folder} cannot be read back; is another program changing it?")
    return built


def _clear_up(cache_dir: Path) -> None:
    """Remove the remains of killed builds of any array; running builds stay."""
    for path in cache_dir.glob(LOCKS):
        with suppress(Timeout, OSError), FileLock(path).acquire(timeout=0):
            shutil.rmtree(path.with_suffix(".part"), ignore_errors=True)
            path.unlink()


@contextmanager
def _locked(path: Path, name: str) -> Iterator[None]:
    """Lock an array against other processes; the system frees the lock if this one is killed."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Waiting for another process that reads {name}", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no file that is open
            path.unlink()
        lock.release()


def _load(folder: Path, verify: bool = False) -> ByteArray | None:
    """Return the array of a folder, or None if it is missing or incomplete or, with ``verify``, changed."""
    try:
        digests = json.loads((folder / DIGESTS).read_text())
        if verify and any(file_sha256(folder / name) != digest for name, digest in digests.items()):
            return None
        images = np.load(folder / "images.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npy") if (folder / "labels.npy").exists() else None
    except (OSError, ValueError, EOFError, AttributeError):  # the last from digests that are no mapping
        return None
    return ByteArray(images, labels, folder) if labels is None or len(labels) == len(images) else None


def _build(source: ImageSource, name: str, folder: Path) -> None:
    """Write a source's array into a temporary folder, then move it to its place: it is complete or absent."""
    scratch = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)  # from a build that was killed while this process waited
    scratch.mkdir()  # with the user's default mode, so that users can share a cache
    try:
        free = shutil.disk_usage(scratch).free
        if free < _num_bytes(source):
            raise _no_room(source, name, folder.parent, f"{free / 1e9:.3g} GB left")
        with closing(_read_in_order(source)) as images:
            rows = track(images, f"Reading {name}", len(source), transient=True)
            _write(scratch / "images.npy", (len(source), *source.read(0).shape), np.dtype(np.uint8), rows)
        if source.labels is not None:
            _write(scratch / "labels.npy", source.labels.shape, source.labels.dtype, source.labels)
        digests = {path.name: file_sha256(path) for path in sorted(scratch.glob("*.npy"))}
        (scratch / DIGESTS).write_text(json.dumps(digests))
        if folder.exists():  # a damaged array
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], rows: Iterable[npt.NDArray[Any]]) -> None:
    """Write an array row by row, because a full disk would crash a write to a memory map.

    Raises:
        ValueError: If the shape or type of a row differs.
    """
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for number, row in enumerate(rows):
            if row.shape != shape[1:] or row.dtype != dtype:
                raise ValueError(f"image {number} is {row.dtype} {row.shape}; all have to be {dtype} {shape[1:]}")
            file.write(row.tobytes())


def _read_in_order(source: ImageSource) -> Generator[npt.NDArray[np.uint8], None, None]:
    """Yield all images; a thread per core reads a little ahead."""

    def read(start: int) -> list[npt.NDArray[np.uint8]]:
        return [source.read(index) for index in range(start, min(start + CHUNK, len(source)))]

    ahead: deque[Future[list[npt.NDArray[np.uint8]]]] = deque()
    threads = os.cpu_count() or 1  # more threads would wait for each other
    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(source), CHUNK):
                ahead.append(pool.submit(read, start))
                if len(ahead) == MAX_AHEAD * threads:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _num_bytes(source: ImageSource) -> int:
    return len(source) * source.read(0).nbytes + (0 if source.labels is None else source.labels.nbytes)


def _no_room(source: ImageSource, name: str, cache_dir: Path, why: str) -> SlimGANError:
    return SlimGANError(
        f"the bytes of {name} take {_num_bytes(source) / 1e9:.3g} GB, for which {cache_dir} has no room ({why})",
        {"": "free some", "data.cache_dir": "name another folder with {}"},
    )
