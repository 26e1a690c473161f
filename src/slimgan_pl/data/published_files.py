"""Files of the published data sets, and torchvision's loaders of them.

The loaders ask only for files that are read: neither set is used with its labels.
"""

from pathlib import Path
from typing import Any, ClassVar

from torchvision.datasets import STL10, CelebA
from torchvision.datasets.utils import check_integrity

__all__ = ["UnlabelledCelebA", "UnlabelledSTL10", "list_published_files", "without_checksums"]

PARTITION = "list_eval_partition.txt"  # CelebA's splits


class UnlabelledSTL10(STL10):  # type: ignore[misc]
    """STL-10 without its labelled training images, whose files need not exist."""

    def _check_integrity(self) -> bool:  # torchvision finds files by their places in train_list, so that stays whole
        folder = Path(self.root, self.base_folder)
        return all(check_integrity(folder / name, md5) for name, md5 in list_published_files(type(self)).items())


class UnlabelledCelebA(CelebA):  # type: ignore[misc]
    """CelebA without its annotations, whose files need not exist."""

    file_list: ClassVar[list[tuple[str, str, str]]] = [
        row for row in CelebA.file_list if row[2] in ("img_align_celeba.zip", PARTITION)
    ]

    def __init__(self, root: str, **settings: Any) -> None:
        super().__init__(root, target_type=[], **settings)

    def _load_csv(self, filename: str, header: int | None = None) -> Any:
        return super()._load_csv(PARTITION)  # in place of annotations, which are not used


def list_published_files(dataset: Any) -> dict[str, str | None]:
    """Return the files that a torchvision data set reads, with MD5s."""
    if issubclass(dataset, CelebA):
        files = {name: md5 for _, md5, name in dataset.file_list}
        images = next(name for name in files if name.endswith(".zip"))
        del files[images]
        return {Path(images).stem: None, **files}  # the images are unpacked
    files = dict(dataset.train_list + dataset.test_list)
    if issubclass(dataset, STL10):
        del files["train_X.bin"], files["train_y.bin"]
    if hasattr(dataset, "meta"):
        files[dataset.meta["filename"]] = dataset.meta["md5"]
    return files


def without_checksums(dataset: Any) -> Any:
    """Return a torchvision data set that ignores checksums."""
    if issubclass(dataset, CelebA):
        unchecked: dict[str, Any] = {"file_list": [(source, None, name) for source, _, name in dataset.file_list]}
    else:
        unchecked = {key: [[name, None] for name, _ in getattr(dataset, key)] for key in ("train_list", "test_list")}
        if hasattr(dataset, "meta"):
            unchecked["meta"] = {**dataset.meta, "md5": None}
    return type(dataset.__name__, (dataset,), unchecked)
