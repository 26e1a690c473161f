"""Data module of a folder of images."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from slimgan_pl.data.byte_array import ImageSource
from slimgan_pl.data.datamodule import ByteDataModule, Split
from slimgan_pl.data.splits import Entry, Splits, find_splits
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.errors import SlimGANError, check_range

__all__ = ["ImageFolderDataModule", "list_images", "open_image"]

SUFFIXES = (".avif", ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tga", ".tif", ".tiff", ".webp")


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image file.

    Raises:
        SlimGANError: If it cannot be read or used.
    """
    try:
        with Image.open(path) as image:
            yield image
    except SlimGANError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SlimGANError(f"the image {path} cannot be used ({error}); repair or delete it") from error


class FolderSource(ImageSource):
    """A list of image files."""

    def __init__(self, entries: list[Entry], transform: Transform) -> None:
        self.entries = entries
        self.transform = transform
        labels = np.array([entry.label for entry in entries], dtype=np.int64)
        self.labels = labels if labels.size and labels.min() >= 0 else None

    @cached_property
    def key(self) -> dict[str, Any]:
        listing = hashlib.sha256()
        for path, label in self.entries:
            status = path.stat()
            line = f"{path.absolute()}\0{label}\0{status.st_size}\0{status.st_mtime_ns}\n"
            listing.update(line.encode(errors="surrogateescape"))  # names may be invalid text
        return {"files": listing.hexdigest(), **self.transform._asdict()}

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        with open_image(self.entries[index].path) as image:
            return convert_image(image, self.transform)


class ImageFolderDataModule(ByteDataModule):
    """Images of any format and size in a folder, centre-cropped and resized.

    Subfolders ``train`` and ``test`` are the splits, under these or similar names (``Training``, ``val``). Without
    both, a share of the images is held out, of ``train`` if that holds all. Each file's relative path alone decides
    whether it is, so an image stays in its split when others come or go; small classes are the exception. If every
    training image lies in a subfolder, the subfolders are the classes, in alphabetical order; test images need none.
    Hidden files and folders are ignored, links followed.

    Args:
        root: The folder.
        image_size: Side of the images in pixels.
        crop: Side in pixels of the centre crop before the resize; by default the shorter side of each image.
        image_channels: 3 for colour, 1 for grey.
        test_fraction: Share of the images held out, about, where the folder has no test split.
        batch_size: Real images per discriminator update and process.
        cache_dir: Folder for the byte arrays; by default ``slimgan-pl`` in the user's cache folder.
    """

    name = "folder"

    def __init__(
        self,
        root: str,
        image_size: int,
        crop: int | None = None,
        image_channels: Literal[1, 3] = 3,
        test_fraction: float = 0.1,
        batch_size: int = 64,
        cache_dir: str | None = None,
    ) -> None:
        super().__init__(image_size, image_channels, batch_size, cache_dir)
        if not 0 < test_fraction < 1:
            raise SlimGANError(f"test_fraction is {test_fraction:g}; it has to lie between 0 and 1")
        if crop is not None:
            check_range("crop", crop, 1)
        self.root = Path(root).expanduser()
        self.test_fraction = test_fraction
        self.transform = Transform(image_size, image_channels, crop)

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their labels."""
        return self._splits.classes

    @property
    def left_out(self) -> list[str]:
        return self._splits.left_out

    @property
    def holds_out(self) -> bool:
        return self._splits.is_held_out

    def source(self, split: Split) -> FolderSource:
        return FolderSource(self._splits.train if split == "train" else self._splits.test, self.transform)

    @cached_property
    def _splits(self) -> Splits:
        if not self.root.is_dir():
            raise SlimGANError(f"there is no folder {self.root}", {"data.root": "name the folder of images with {}"})
        return find_splits(self.root, list_images(self.root), self.test_fraction)


def list_images(folder: Path) -> list[Path]:
    """Return all image files under a folder, sorted.

    Hidden files and folders are ignored, links followed.

    Raises:
        SlimGANError: If there are none.
    """
    paths = sorted(image_files(str(folder), frozenset([os.path.realpath(folder)])))
    if not paths:
        raise SlimGANError(f"there are no images in {folder}; put some there, or name another folder")
    return paths


def image_files(folder: str, above: frozenset[str]) -> Iterator[Path]:
    """Yield the image files and broken links under a folder.

    ``above`` holds the real paths of the folder and of those that led to it.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir():
                real = os.path.realpath(entry.path)
                if real not in above:  # a link to a folder above would never end
                    yield from image_files(entry.path, above | {real})
            elif entry.name.lower().endswith(SUFFIXES) and (entry.is_file() or not os.path.exists(entry.path)):
                yield Path(entry.path)
