"""Image files in a folder: which there are, and opening them."""

import errno
import importlib
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from slimgan_pl.data.broken_images import BrokenImageError
from slimgan_pl.data.value_range import UnknownRangeError
from slimgan_pl.errors import SlimGANError, SlimGANWarning

__all__ = ["Listing", "list_folder", "list_images", "open_image", "warn_left_out"]

# Pillow identifies these but cannot decode them, or only by another program.
NOT_DECODED = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"})
PLUGINS = {"pillow_heif": "register_heif_opener", "pillow_jxl": None}  # modules, and the function that registers one
PLUGIN_SUFFIXES = (".heic", ".heics", ".heif", ".heifs", ".hif", ".jxl")
FILE_ERRORS = (None, errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ELOOP)  # of one file, not of the disk
MAX_KINDS = 6  # suffixes named in a message


@cache
def image_formats() -> dict[str, str]:
    """Return Pillow's formats that can be decoded, by their suffixes.

    Plugins for HEIF and JPEG XL take part where they are installed.
    """
    for name, register in PLUGINS.items():
        with suppress(ImportError):
            plugin = importlib.import_module(name)
            if register is not None:
                getattr(plugin, register)()
    Image.init()
    decoded = Image.OPEN.keys() - NOT_DECODED
    suffixes = {suffix: kind for suffix, kind in Image.registered_extensions().items() if kind in decoded}
    return suffixes | {".mpo": "JPEG"}  # several JPEGs in a file, which Pillow opens as the first


@cache
def opened_formats() -> tuple[str, ...]:
    """Return the formats that can be decoded, common ones first."""
    kinds = set(image_formats().values())
    return tuple(kind for kind in Image.ID if kind in kinds)


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image file; of several images in it, the first.

    Raises:
        BrokenImageError: If it cannot be read or used.
        SlimGANError: If the disk fails.
    """
    try:
        with Image.open(path, formats=opened_formats()) as image:
            yield image
    except SlimGANError:
        raise
    except UnknownRangeError as error:
        raise BrokenImageError(str(path), str(error), "save it with 8 or 16 bits") from error
    except UnidentifiedImageError as error:
        raise BrokenImageError(str(path), "it is no image that Pillow can read") from error
    except OSError as error:
        if error.errno not in FILE_ERRORS:  # may be gone tomorrow: not to be left out of a data set
            raise SlimGANError(f"the image {path} cannot be read ({error.strerror}); check the disk") from error
        raise BrokenImageError(str(path), error.strerror or str(error)) from error
    except Exception as error:  # whatever decoders raise on damaged files
        raise BrokenImageError(str(path), str(error) or type(error).__name__) from error


class Listing(NamedTuple):
    """Image files under a folder, sorted, and the number of others by suffix."""

    images: list[Path]
    others: Counter[str]


def list_folder(folder: Path) -> Listing:
    """List the files under a folder.

    Hidden files and folders are ignored, links followed.

    Raises:
        SlimGANError: If there are no images.
    """
    images, others = list[Path](), Counter[str]()
    for name in walk_files(folder):
        path = Path(name)
        if is_image(path):
            images.append(path)
        else:
            others[path.suffix.lower()] += 1
    if not images:
        found = f", only {describe_left_out(others)}" if others else ""
        raise SlimGANError(f"there are no images in {folder}{found}; put some there, or name another folder")
    return Listing(sorted(images), others)


def list_images(folder: Path) -> list[Path]:
    """Return all image files under a folder, sorted, as ``list_folder`` does."""
    return list_folder(folder).images


def warn_left_out(folder: Path, others: Counter[str]) -> None:
    """Warn of a folder's files that are not read as images."""
    if others:
        message = f"left out of {folder} what is not read as an image: {describe_left_out(others)}"
        warnings.warn(message, SlimGANWarning, stacklevel=2)


def describe_left_out(others: Counter[str]) -> str:
    """Return a list such as ``9 .heic, 2 .txt``, most frequent first.

    >>> describe_left_out(Counter({".txt": 2, "": 3}))
    '3 without suffix, 2 .txt'
    """
    kinds = sorted(others, key=lambda suffix: (-others[suffix], suffix))
    told = [f"{others[suffix]} {suffix or 'without suffix'}" for suffix in kinds[:MAX_KINDS]]
    if len(kinds) > MAX_KINDS:
        told.append(f"{sum(others[suffix] for suffix in kinds[MAX_KINDS:])} more")
    fix = ' (pip install "slimgan-pl[images]" reads HEIF and JPEG XL)' if others.keys() & set(PLUGIN_SUFFIXES) else ""
    return ", ".join(told) + fix


def is_image(path: Path) -> bool:
    return path.suffix.lower() in image_formats()


def walk_files(folder: Path | str, above: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the paths of files and broken links under a folder.

    ``above`` holds the real paths of the folders that led to it.
    """
    above |= {os.path.realpath(folder)}
    try:
        found = os.scandir(folder)
    except OSError as error:
        raise SlimGANError(f"the folder {folder} cannot be read ({error.strerror}); give read access to it") from error
    with found as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            try:
                is_folder, is_file = entry.is_dir(), entry.is_file()
            except OSError:  # of a link to itself
                is_folder, is_file = False, False
            if is_folder:
                if os.path.realpath(entry.path) not in above:  # a link to a folder above would never end
                    yield from walk_files(entry.path, above)
            elif is_file or not os.path.exists(entry.path):
                yield entry.path
