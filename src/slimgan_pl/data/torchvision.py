"""Published data sets, read by torchvision's loaders."""

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import URLError

import numpy as np
import numpy.typing as npt
from torchvision.datasets import CIFAR10, CIFAR100, VisionDataset
from torchvision.datasets.utils import check_integrity

from slimgan_pl.data.broken_images import BrokenImageError
from slimgan_pl.data.byte_array import ImageSource
from slimgan_pl.data.datamodule import ByteDataModule, Split
from slimgan_pl.data.published_files import UnlabelledCelebA, UnlabelledSTL10, list_published_files, without_checksums
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.errors import SlimGANError

__all__ = ["CIFAR10DataModule", "CIFAR100DataModule", "CelebADataModule", "STL10DataModule", "TorchvisionDataModule"]

CIFAR100_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
    man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
    pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
    skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""


class TorchvisionSource(ImageSource):
    """Split of a published data set, opened on first use."""

    def __init__(self, data: "TorchvisionDataModule", split: Split) -> None:
        self.data, self.split = data, split

    @cached_property
    def dataset(self) -> VisionDataset:
        return self.data.open_split(self.split)

    @property
    def repairs(self) -> dict[str, str]:
        return {"": f"put whole files into {self.data.folder}"}

    @property
    def labels(self) -> npt.NDArray[np.int64] | None:  # type: ignore[override]
        return np.asarray(self.dataset.targets, dtype=np.int64) if self.data.num_classes else None

    @property
    def key(self) -> dict[str, Any]:
        files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in self.data.files]
        return {"source": self.data.name, "split": self.split, "files": files, **self.data.transform.key}

    def __len__(self) -> int:
        return len(self.dataset)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        try:
            return convert_image(self.dataset[index][0], self.data.transform)
        except (OSError, ValueError, SyntaxError) as error:
            names = getattr(self.dataset, "filename", None)  # of CelebA's image files; the others have none
            name = names[index] if isinstance(names, list) else f"number {index}"
            raise BrokenImageError(f"{name} of the {self.split} split of {self.data.title}", reason(error)) from error


class TorchvisionDataModule(ByteDataModule):
    """Base of the published data sets of colour images.

    A data set is its name, torchvision's class and the arguments of its splits, its classes, and the paper's size.
    Images are centre-cropped where the paper does, and resized.

    Args:
        root: The folder that holds the data set's own folder, as torchvision lays it out.
        image_size: Side of the images in pixels; by default the paper's.
        download: Whether to fetch the data set if none of its files exists. Existing files are never fetched.
        verify: Whether files have to match the published checksums. The CIFAR files are pickles, which can run code:
            turn this off only for files that you made yourself.
        batch_size: Real images per discriminator update and process.
        cache_dir: Folder for the byte arrays; by default ``slimgan-pl`` in the user's cache folder.
        flip: Whether half of the training images, others in each epoch, are flipped left to right.
    """

    title: ClassVar[str]
    dataset: ClassVar[Any]
    splits: ClassVar[dict[Split, dict[str, Any]]]
    paper_size: ClassVar[int]
    crop: ClassVar[int | None] = None

    def __init__(
        self,
        root: str = "data",
        image_size: int | None = None,
        download: bool = False,
        verify: bool = True,
        batch_size: int = 64,
        cache_dir: str | None = None,
        flip: bool = False,
    ) -> None:
        super().__init__(self.paper_size if image_size is None else image_size, 3, batch_size, cache_dir, flip)
        self.root = Path(root).expanduser()
        self.download = download
        self.verify = verify
        self.transform = Transform(self.image_size, 3, self.crop)

    @property
    def folder(self) -> Path:
        """The data set's own folder."""
        return self.root / str(self.dataset.base_folder)

    @property
    def files(self) -> list[Path]:
        """The files and folders of the data set."""
        return [self.folder / name for name in list_published_files(self.dataset)]

    def source(self, split: Split) -> TorchvisionSource:
        missing = [path.name for path in self.files if not path.exists()]
        if missing and self.root.name == self.folder.name and self.root.is_dir():
            raise SlimGANError(
                f"{self.root} looks like the data set's own folder",
                {"data.root": f"give its parent, {{}} {self.root.parent}"},
            )
        if len(missing) == len(self.files) and self.download:
            self.open_split(split, download=True)
        elif len(missing) == len(self.files):
            raise SlimGANError(
                f"there is no {self.title} in {self.root}",
                {
                    "": f"put its folder {self.folder.name} there",
                    "data.root": "name the folder that holds it with {}",
                    "data.download": "let {} true fetch it",
                },
            )
        elif missing:
            raise SlimGANError(
                f"{self.folder} is not the whole {self.title}: it lacks {', '.join(missing)}",
                {"": "put that there", "data.download": "delete the folder and let {} true fetch it"},
            )
        return TorchvisionSource(self, split)

    def open_split(self, split: Split, download: bool = False) -> VisionDataset:
        """Open a split with torchvision's loader.

        Raises:
            SlimGANError: If the download fails, or the files are broken or not the published ones.
        """
        dataset = self.dataset if self.verify else without_checksums(self.dataset)
        try:
            return dataset(str(self.root), **self.splits[split], download=download)
        except Exception as error:  # whatever loaders and downloads raise
            if download:
                raise SlimGANError(
                    f"{self.title} could not be downloaded ({reason(error)}); fetch it by other means and put "
                    f"{', '.join(path.name for path in self.files)} into {self.folder}"
                ) from error
            sums = list_published_files(self.dataset).items() if self.verify else ()
            broken = [name for name, md5 in sums if md5 and not check_integrity(self.folder / name, md5)]
            if not broken:
                raise SlimGANError(f"{self.title} in {self.folder} cannot be read ({reason(error)})") from error
            raise SlimGANError(
                f"{', '.join(broken)} in {self.folder} is damaged or not the published {self.title}",
                {
                    "data.root": "name a whole copy with {}",
                    "data.download": "delete it and let {} true fetch it",
                    "data.verify": "set {} false if you made it yourself",
                },
            ) from error


class CIFAR10DataModule(TorchvisionDataModule):
    """CIFAR-10: 50,000 training and 10,000 test images in ten classes (Krizhevsky 2009)."""

    name = "cifar10"
    title = "CIFAR-10"
    dataset = CIFAR10
    splits: ClassVar[dict[Split, dict[str, Any]]] = {"train": {"train": True}, "test": {"train": False}}
    num_classes = 10
    classes: ClassVar[list[str]] = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]
    paper_size = 32


class CIFAR100DataModule(CIFAR10DataModule):
    """CIFAR-100: as CIFAR-10, in a hundred classes (Krizhevsky 2009)."""

    name = "cifar100"
    title = "CIFAR-100"
    dataset = CIFAR100
    num_classes = 100
    classes: ClassVar[list[str]] = CIFAR100_CLASSES.split()


class STL10DataModule(TorchvisionDataModule):
    """STL-10: 100,000 unlabelled training and 8,000 test images (Coates et al. 2011).

    By default they are resized from 96x96 to 48x48.
    """

    name = "stl10"
    title = "STL-10"
    dataset = UnlabelledSTL10
    splits: ClassVar[dict[Split, dict[str, Any]]] = {"train": {"split": "unlabeled"}, "test": {"split": "test"}}
    num_classes = 0
    paper_size = 48


class CelebADataModule(TorchvisionDataModule):
    """CelebA, aligned: 162,770 training and 19,962 test faces (Liu et al. 2015).

    They are cropped to 178x178 and, by default, resized to 64x64.
    """

    name = "celeba"
    title = "CelebA"
    dataset = UnlabelledCelebA
    splits: ClassVar[dict[Split, dict[str, Any]]] = {"train": {"split": "train"}, "test": {"split": "test"}}
    num_classes = 0
    paper_size = 64
    crop = 178


def reason(error: Exception) -> str:
    """Return an error's first line, or its class name."""
    cause = error.reason if isinstance(error, URLError) else error
    return str(cause).strip().split("\n")[0] or type(error).__name__
