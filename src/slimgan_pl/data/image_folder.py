"""Any folder of images."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from slimgan_pl.data.byte_array import ImageSource
from slimgan_pl.data.module import ByteDataModule, Split
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.errors import UserError

__all__ = ["ImageFolderDataModule"]

EXTENSIONS = (
    ".avif",
    ".bmp",
    ".gif",
    ".jfif",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tga",
    ".tif",
    ".tiff",
    ".webp",
)


class Entry(NamedTuple):
    """An image file, and its class or -1."""

    path: Path
    label: int


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
            listing.update(f"{path.absolute()}\0{label}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return {"files": listing.hexdigest(), **self.transform._asdict()}

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        path = self.entries[index].path
        try:
            with Image.open(path) as image:
                return convert_image(image, self.transform)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise UserError(f"the image {path} cannot be used ({error}); mend it or take it away") from error


class ImageFolderDataModule(ByteDataModule):
    """Images of any format and size in a folder, centre-cropped and resized.

    Subfolders ``train`` and ``test`` (or ``val``) are the splits; without them a fixed random fraction is the test
    split. Within a split, if every image lies in a subfolder, the subfolders are the classes, in alphabetical order.

    Args:
        root: The folder.
        image_size: Side of the images in pixels.
        crop: Side in pixels of the centre crop before the resize; by default the shorter side of each image.
        image_channels: 3 for colour, 1 for grey.
        test_fraction: Share of the images to judge by, where the folder has no splits.
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
            raise UserError(f"test_fraction is {test_fraction:g}; it has to lie between 0 and 1")
        self.root = Path(root).expanduser()
        self.test_fraction = test_fraction
        self.transform = Transform(image_size, image_channels, crop)

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their labels; empty where there are none."""
        return self._splits[0]

    def source(self, split: Split) -> FolderSource:
        return FolderSource(self._splits[1][split], self.transform)

    @cached_property
    def _splits(self) -> tuple[list[str], dict[Split, list[Entry]]]:
        if not self.root.is_dir():
            raise UserError(f"there is no folder {self.root}; name the folder of images with --data.root")
        train_root = self.root / "train"
        test_root = next((self.root / name for name in ("test", "val") if (self.root / name).is_dir()), None)
        if train_root.is_dir() and test_root is not None:
            train = list_images(train_root)
            classes = class_names(train_root, train)
            labelled = label_images(train_root, train, classes)
            return classes, {"train": labelled, "test": label_images(test_root, list_images(test_root), classes)}
        paths = list_images(self.root)
        classes = class_names(self.root, paths)
        entries = label_images(self.root, paths, classes)
        order = np.random.default_rng(0).permutation(len(entries))
        num_test = max(1, round(len(entries) * self.test_fraction))
        test, train_part = sorted(order[:num_test]), sorted(order[num_test:])
        return classes, {"train": [entries[i] for i in train_part], "test": [entries[i] for i in test]}


def list_images(folder: Path) -> list[Path]:
    """Return all image files under a folder, sorted; hidden ones are left out.

    Raises:
        UserError: If there is none.
    """
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and not path.is_dir()
    )
    if not paths:
        raise UserError(f"there are no images in {folder}; put some there, or name another folder with --data.root")
    return paths


def class_names(folder: Path, paths: list[Path]) -> list[str]:
    """Return the names of the subfolders, or nothing if some image lies in none."""
    if any(path.parent == folder for path in paths):
        return []
    return sorted({path.relative_to(folder).parts[0] for path in paths})


def label_images(folder: Path, paths: list[Path], classes: list[str]) -> list[Entry]:
    """Give each image the number of its class, or -1 where there are no classes."""
    if not classes:
        return [Entry(path, -1) for path in paths]
    numbers = {name: number for number, name in enumerate(classes)}
    entries = []
    for path in paths:
        name = path.relative_to(folder).parts[0]
        if name not in numbers or path.parent == folder:
            raise UserError(f"{path} is in none of the classes of the training images: {', '.join(classes)}")
        entries.append(Entry(path, numbers[name]))
    return entries
