"""Data sets as memory-mapped arrays of bytes, built once from a source.

Shape legend: N images, C channels, H = W pixels a side.
"""

import errno
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from rich.progress import track

from slimgan_pl.data.broken_images import BrokenImageError, BrokenImagesError
from slimgan_pl.data.image_hashes import HASHES, hash_images
from slimgan_pl.data.image_source import ImageSource, read_in_order, read_or_error
from slimgan_pl.data.value_range import SeenValues
from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.utils.files import file_sha256, replacing

__all__ = ["ByteArray", "ImageSource", "open_byte_array"]

DIGESTS = "sha256.json"  # checksums by file names
LEFT_OUT = "left_out.json"  # names of images and why they cannot be used
SEEN = "seen.json"  # extremes of the values
LOCKS = ".*-" + "[0-9a-f]" * 16 + ".lock"  # named for an array and its digest
FORMAT = 2  # version of the conversion, part of every key: raise it when the bytes change

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

NO_ACCESS = (errno.EROFS, errno.EACCES, errno.EPERM)


class ByteArray(NamedTuple):
    """Memory-mapped images with their labels.

    Images are uint8 ``(N, C, H, W)``, labels int64 ``(N,)`` or None. The name of the folder, if there is one,
    identifies everything that the bytes depend on. ``left_out`` tells of the images that could not be used, ``seen`` of
    the values of the others.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None
    folder: Path | None = None
    left_out: tuple[BrokenImageError, ...] = ()
    seen: SeenValues | None = None


def open_byte_array(source: ImageSource, name: str, cache_dir: Path, verify: bool = True) -> ByteArray:
    """Return a source's images from the cache; the first call builds them.

    One process builds; others that need the same array wait for it.

    Args:
        source: Source of the images.
        name: Prefix of the folder's name.
        cache_dir: Folder for the arrays.
        verify: Whether to verify the checksums of the files; a damaged array is built again.

    Raises:
        BrokenImagesError: If images cannot be used and the source does not skip them.
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
            f"the bytes of {name} take {_num_bytes(source, _first_image(source)) / 1e9:.3g} GB, "
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
        left_out = tuple(BrokenImageError(*each) for each in json.loads((folder / LEFT_OUT).read_text()))
        seen = SeenValues.from_json(json.loads((folder / SEEN).read_text()))
    except (OSError, ValueError, EOFError, AttributeError, TypeError):  # the last two from JSON of another form
        return None
    is_whole = labels is None or len(labels) == len(images)
    return ByteArray(images, labels, folder, left_out, seen) if is_whole else None


def _build(source: ImageSource, name: str, folder: Path) -> None:
    """Write a source's array to a temporary folder, then rename the folder."""
    scratch = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)  # from a build that was killed while this process waited
    scratch.mkdir()  # with the user's default mode, so that users can share a cache
    try:
        with closing(read_in_order(source)) as images:
            rows = track(images, f"Reading {name}", len(source), transient=True)
            broken = _write_images(scratch / "images.npy", rows, source)
        source.check()
        if broken and (len(broken) == len(source) or not source.skip_broken):
            raise BrokenImagesError(list(broken.values()), len(source), source.repairs)
        (scratch / SEEN).write_text(json.dumps((source.seen or SeenValues()).to_json()))
        (scratch / LEFT_OUT).write_text(json.dumps([[image.name, image.reason] for image in broken.values()]))
        if source.labels is not None:
            labels = np.delete(source.labels, list(broken))
            with replacing(scratch / "labels.npy") as file:
                _write_header(file, labels.dtype, labels.shape)
                file.write(labels.tobytes())
        np.save(scratch / HASHES, hash_images(np.load(scratch / "images.npy", mmap_mode="r")))
        digests = {path.name: file_sha256(path) for path in sorted(scratch.iterdir())}
        (scratch / DIGESTS).write_text(json.dumps(digests))
        if folder.exists():  # a damaged array
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_images(
    path: Path, images: Iterable[npt.NDArray[np.uint8] | BrokenImageError], source: ImageSource
) -> dict[int, BrokenImageError]:
    """Write an array row by row; a full disk crashes memory maps.

    Returns:
        The errors of the images that are left out, by their numbers.
    """
    broken: dict[int, BrokenImageError] = {}
    shape: tuple[int, ...] | None = None
    with replacing(path) as file:
        for number, image in enumerate(images):
            if isinstance(image, BrokenImageError):
                broken[number] = image
                continue
            if shape is None:
                shape = image.shape
                _check_room(path.parent, _num_bytes(source, image))
                _write_header(file, np.dtype(np.uint8), (len(source), *shape))
            if image.shape != shape or image.dtype != np.uint8:
                raise ValueError(f"image {number} is {image.dtype} {image.shape}; all have to be uint8 {shape}")
            file.write(image.tobytes())
        if broken and shape is not None:
            file.seek(0)
            _write_header(file, np.dtype(np.uint8), (len(source) - len(broken), *shape))  # NumPy leaves room for digits
    return broken


def _write_header(file: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _first_image(source: ImageSource) -> npt.NDArray[np.uint8]:
    """Return the first image that can be used, or an empty one."""
    images = (read_or_error(source, index) for index in range(len(source)))
    return next((image for image in images if not isinstance(image, BrokenImageError)), np.empty(0, np.uint8))


def _check_room(folder: Path, num_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < num_bytes:
        raise OSError(errno.ENOSPC, f"{free / 1e9:.3g} GB left")


def _num_bytes(source: ImageSource, image: npt.NDArray[np.uint8]) -> int:
    return len(source) * image.nbytes + (0 if source.labels is None else source.labels.nbytes)
