"""Data module of a folder of images."""

import hashlib
import math
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slimgan_pl.data.byte_array import ImageSource
from slimgan_pl.data.datamodule import ByteDataModule, Split
from slimgan_pl.data.image_files import Listing, list_folder, list_images, open_image, warn_left_out
from slimgan_pl.data.splits import Entry, Splits, find_splits
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.data.value_range import SeenValues
from slimgan_pl.errors import SlimGANError, check_range

__all__ = ["ImageFolderDataModule", "list_images", "open_image"]


class FolderSource(ImageSource):
    """A list of image files."""

    def __init__(self, entries: list[Entry], transform: Transform, skip_broken: bool) -> None:
        self.entries = entries
        self.transform = transform
        self.skip_broken = skip_broken
        self.seen: SeenValues = SeenValues()
        labels = np.array([entry.label for entry in entries], dtype=np.int64)
        self.labels = labels if labels.size and labels.min() >= 0 else None

    @property
    def repairs(self) -> dict[str, str]:
        skip = {} if self.skip_broken else {"data.skip_broken": "leave them out with {} true"}
        return {"": "repair or delete broken files", **skip}

    @cached_property
    def key(self) -> dict[str, Any]:
        listing = hashlib.sha256()
        for path, label in self.entries:
            try:
                status = path.stat()
            except OSError:  # a link to nowhere, which reading refuses
                status = path.lstat()
            line = f"{path.absolute()}\0{label}\0{status.st_size}\0{status.st_mtime_ns}\n"
            listing.update(line.encode(errors="surrogateescape"))  # names may be invalid text
        skips = {"skip_broken": True} if self.skip_broken else {}
        return {"files": listing.hexdigest(), **self.transform.key, **skips}

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        with open_image(self.entries[index].path) as image:
            return self.seen.convert(image, lambda opened: convert_image(opened, self.transform))

    def check(self) -> None:
        self.seen.check(self.transform.value_range)


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
        value_range: Values that become black and white in images of 16 or 32 bits, such as ``[0, 4095]``; by default 0
            and the most that the file's type holds. Images of 32 bits need it, as their files do not tell their range.
        skip_broken: Whether images that cannot be used are left out, with a warning; otherwise they are an error.
        test_fraction: Share of the images held out, about, where the folder has no test split.
        batch_size: Real images per discriminator update and process.
        cache_dir: Folder for the byte arrays; by default ``slimgan-pl`` in the user's cache folder.
        flip: Whether half of the training images, others in each epoch, are flipped left to right.
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
        value_range: tuple[float, float] | None = None,
        skip_broken: bool = False,
        flip: bool = False,
    ) -> None:
        super().__init__(image_size, image_channels, batch_size, cache_dir, flip)
        if not 0 < test_fraction < 1:
            raise SlimGANError(f"test_fraction is {test_fraction:g}; it has to lie between 0 and 1")
        if crop is not None:
            check_range("crop", crop, 1)
        ends = () if value_range is None else tuple(value_range)
        if ends and not (len(ends) == 2 and -math.inf < ends[0] < ends[1] < math.inf):
            raise SlimGANError(f"value_range is {list(ends)}; it has to be two finite numbers that ascend")
        self.root = Path(root).expanduser()
        self.test_fraction = test_fraction
        self.skip_broken = skip_broken
        self.value_range = value_range and (float(value_range[0]), float(value_range[1]))
        self.transform = Transform(image_size, image_channels, crop, self.value_range)

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their labels."""
        return self._splits.classes

    @property
    def left_out(self) -> list[str]:
        broken = sum(len(array.left_out) for array in self.arrays.values())
        others = self._listing.others.total()
        told = [f"{broken:,} broken image{'s' * (broken != 1)}"] if broken else []
        told += [f"{others:,} other file{'s' * (others != 1)}"] if others else []
        return [*self._splits.left_out, *told]

    @property
    def holds_out(self) -> bool:
        return self._splits.is_held_out

    def source(self, split: Split) -> FolderSource:
        entries = self._splits.train if split == "train" else self._splits.test
        return FolderSource(entries, self.transform, self.skip_broken)

    def prepare_data(self) -> None:
        super().prepare_data()
        warn_left_out(self.root, self._listing.others)

    @cached_property
    def _listing(self) -> Listing:
        if not self.root.is_dir():
            raise SlimGANError(f"there is no folder {self.root}", {"data.root": "name the folder of images with {}"})
        return list_folder(self.root)

    @cached_property
    def _splits(self) -> Splits:
        return find_splits(self.root, self._listing.images, self.test_fraction)
