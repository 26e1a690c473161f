"""Data sets as memory-mapped arrays of bytes, built once from a source.

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
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from rich.progress import track

from slimgan_pl.data.image_hashes import HASHES, hash_images
from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.utils.files import file_sha256, replacing

__all__ = ["ByteArray", "ImageSource", "open_byte_array"]

CHUNK = 4  # images that a thread reads at once; an interrupt waits for them
MAX_AHEAD = 8  # chunks per thread that wait to be written

DIGESTS = "sha256.json"  # checksums by file names
LOCKS = ".*-" + "[0-9a-f]" * 16 + ".lock"  # named for an array and its digest
FORMAT = 2  # version of the conversion, part of every key: raise it when the bytes change

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

NO_ACCESS = (errno.EROFS, errno.EACCES, errno.EPERM)


class ByteArray(NamedTuple):
    """Memory-mapped images with their labels.

    Images are uint8 ``(N, C, H, W)``, labels int64 ``(N,)`` or None. The name of the folder, if there is one,
    identifies everything that the bytes depend on.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None
    folder: Path | None = None


class ImageSource(ABC):
    """Images and labels of one split of a data set."""

    labels: npt.NDArray[np.int64] | None = None

    @property
    @abstractmethod
    def key(self) -> dict[str, Any]:
        """Plain values that the bytes depend on: source, split, size, transform."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of images."""

    @abstractmethod
    def read(self, index: int) -> npt.NDArray[np.uint8]:
        """Return one image ``(C, H, W)``; several threads call this."""


def open_byte_array(source: ImageSource, name: str, cache_dir: Path, verify: bool = True) -> ByteArray:
    """Return a source's images from the cache; the first call builds them.

    One process builds; others that need the same array wait for it.

    Args:
        source: Source of the images.
        name: Prefix of the folder's name.
        cache_dir: Folder for the arrays.
        verify: Whether to verify the checksums of the files; a damaged array is built again.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, source.key], sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_dir / f"{name}-{digest}"
    if (cached := _load(folder, verify)) is not None:
        return cached
    if folder.exists():
        warnings.warn(f"{folder} is damaged or of another version; it is built again", SlimGANWarning, stacklevel=2)
    try:
        return _build_once(source, name, folder)
    except OSError as error:
        if error.errno in NO_ACCESS:
            raise SlimGANError(
                f"the bytes of {name} could not be written to {cache_dir} ({error.strerror})",
                {"": "give write access there", "data.cache_dir": "name another folder with {}"},
            ) from error
        if error.errno not in NO_ROOM:
            raise
        raise SlimGANError(
            f"the bytes of {name} take {_num_bytes(source) / 1e9:.3g} GB, "
            f"for which {cache_dir} has no room ({error.strerror})",
            {"": "free some", "data.cache_dir": "name another folder with {}"},
        ) from error


def _build_once(source: ImageSource, name: str, folder: Path) -> ByteArray:
    """Build an array, or wait for another process that builds it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _clear_up(folder.parent)
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))  # the system frees it if this process is killed
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Waiting for another process that reads {name}", flush=True)
        lock.acquire()
    try:
        if _load(folder, verify=True) is None:
            _build(source, name, folder)
        built = _load(folder)
    finally:
        with suppress(OSError):  # Windows removes no file that is open
            os.unlink(lock.lock_file)
        lock.release()
    if built is None:
        raise OSError(f"{folder} cannot be read back; is another program changing it?")
    return built


def _clear_up(cache_dir: Path) -> None:
    """Remove the remains of killed builds of any array; running builds stay."""
    for path in cache_dir.glob(LOCKS):
        with suppress(Timeout, OSError), FileLock(path).acquire(timeout=0):
            shutil.rmtree(path.with_suffix(".part"), ignore_errors=True)
            path.unlink()


def _load(folder: Path, verify: bool = False) -> ByteArray | None:
    """Return a folder's array, or None if it is missing or damaged."""
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
    """Write a source's array to a temporary folder, then rename the folder."""
    scratch = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)  # from a build that was killed while this process waited
    scratch.mkdir()  # with the user's default mode, so that users can share a cache
    try:
        free = shutil.disk_usage(scratch).free
        if free < _num_bytes(source):
            raise OSError(errno.ENOSPC, f"{free / 1e9:.3g} GB left")
        with closing(_read_in_order(source)) as images:
            rows = track(images, f"Reading {name}", len(source), transient=True)
            _write(scratch / "images.npy", (len(source), *source.read(0).shape), np.dtype(np.uint8), rows)
        if source.labels is not None:
            _write(scratch / "labels.npy", source.labels.shape, source.labels.dtype, source.labels)
        np.save(scratch / HASHES, hash_images(np.load(scratch / "images.npy", mmap_mode="r")))
        digests = {path.name: file_sha256(path) for path in sorted(scratch.glob("*.npy"))}
        (scratch / DIGESTS).write_text(json.dumps(digests))
        if folder.exists():  # a damaged array
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], rows: Iterable[npt.NDArray[Any]]) -> None:
    """Write an array row by row; a full disk crashes memory maps."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for number, row in enumerate(rows):
            if row.shape != shape[1:] or row.dtype != dtype:
                raise ValueError(f"image {number} is {row.dtype} {row.shape}; all have to be {dtype} {shape[1:]}")
            file.write(row.tobytes())


def _read_in_order(source: ImageSource) -> Generator[npt.NDArray[np.uint8], None, None]:
    """Yield all images, with one thread per core reading ahead."""

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
