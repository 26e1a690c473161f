"""Small data sets of random images, laid out on disk as the published ones are, and an extractor of a user's own."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor, nn

__all__ = ["Corner", "write_celeba", "write_cifar10", "write_cifar100", "write_stl10"]

Bytes = npt.NDArray[np.uint8]


class Corner(nn.Module):
    """Features and logits that are the pixels of a corner."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        corner = images[:, 0, : self.size, : self.size].float().flatten(1)
        return corner, corner / 255


def pixels(*shape: int) -> Bytes:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def dump(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))


def write_cifar10(root: Path, count: int = 20) -> dict[str, Bytes]:
    """Write five training batches and a test batch; return the pixels ``(N, 3, 32, 32)`` of each split."""
    folder = root / "cifar-10-batches-py"
    images = pixels(6, count, 3 * 32 * 32)
    for number, batch in enumerate(images):
        name = "test_batch" if number == 5 else f"data_batch_{number + 1}"
        dump(folder / name, {"data": batch, "labels": [label % 10 for label in range(count)]})
    dump(folder / "batches.meta", {"label_names": list("abcdefghij")})
    images = images.reshape(6, count, 3, 32, 32)
    return {"train": np.concatenate(list(images[:5])), "test": images[5]}


def write_cifar100(root: Path, count: int = 100) -> dict[str, Bytes]:
    """Write the train and the test file; return the pixels ``(N, 3, 32, 32)`` of each split."""
    folder = root / "cifar-100-python"
    images = pixels(2, count, 3 * 32 * 32)
    for name, split in zip(("train", "test"), images, strict=True):
        dump(folder / name, {"data": split, "fine_labels": [label % 100 for label in range(count)]})
    dump(folder / "meta", {"fine_label_names": [str(label) for label in range(100)]})
    images = images.reshape(2, count, 3, 32, 32)
    return {"train": images[0], "test": images[1]}


def write_stl10(root: Path, count: int = 20) -> dict[str, Bytes]:
    """Write all binary files; return the pixels ``(N, 3, 96, 96)`` of the unlabelled and of the test split."""
    folder = root / "stl10_binary"
    folder.mkdir(parents=True)
    images = pixels(3, count, 3, 96, 96)
    for name, split in zip(("train", "unlabeled", "test"), images, strict=True):
        split.transpose(0, 1, 3, 2).tofile(folder / f"{name}_X.bin")  # columns first
    for name in ("train", "test"):
        np.ones(count, dtype=np.uint8).tofile(folder / f"{name}_y.bin")
    return {"train": images[1], "test": images[2]}


def write_celeba(root: Path, count: int = 20) -> dict[str, Bytes]:
    """Write the aligned images and all lists; return the centre 178x178 of each split, ``(N, 3, 178, 178)``."""
    folder = root / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    images = np.repeat(np.repeat(pixels(2 * count, 28, 23, 3), 8, 1), 8, 2)[:, :218, :178]  # JPEG keeps large squares
    names = [f"{number:06d}.jpg" for number in range(1, 2 * count + 1)]
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(folder / "img_align_celeba" / name, quality=95)
    lists = {
        "list_attr_celeba.txt": ("attributes\nSmiling\n", "1"),
        "list_bbox_celeba.txt": ("boxes\nx_1 y_1 width height\n", "0 0 178 218"),
        "list_landmarks_align_celeba.txt": ("points\nlefteye_x lefteye_y\n", "60 110"),
        "identity_CelebA.txt": ("", "1"),
    }
    for file, (header, row) in lists.items():
        (folder / file).write_text(header + "".join(f"{name} {row}\n" for name in names))
    splits = "".join(f"{name} {0 if number < count else 2}\n" for number, name in enumerate(names))
    (folder / "list_eval_partition.txt").write_text(splits)
    cut = images[:, 20:198].transpose(0, 3, 1, 2)
    return {"train": cut[:count], "test": cut[count:]}
