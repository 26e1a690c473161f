"""Speed of the data: ``python benchmarks/data.py --json FILE`` from the repository's root.

Batches of the byte array on one core, against torchvision's ImageFolder with a DataLoader on the same images; and how
fast files become a byte array.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from jsonargparse import auto_cli
from measuring import machine, medians, print_rows, print_table, save_json
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from slimgan_pl.data import ByteLoader, ImageFolderDataModule
from slimgan_pl.utils.images import from_bytes

BATCH_SIZE = 64


def main(
    image_sizes: list[int] | None = None,
    num_images: int = 2000,
    file_size: int = 256,
    rounds: int = 5,
    json: str | None = None,
) -> None:
    """Measure the data pipeline.

    Args:
        image_sizes: Sides in pixels; by default 32 and 64.
        num_images: Images in the folder.
        file_size: Side in pixels of the JPEG files that are turned into an array.
        rounds: Times that each thing is measured; the median counts.
        json: File to write the results to.
    """
    torch.set_num_threads(1)
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    results: dict[str, Any] = {"loading": {}}
    with tempfile.TemporaryDirectory() as folder:
        for size in image_sizes or [32, 64]:
            root = Path(folder) / str(size)
            write_images(root, num_images, size, "png")
            results["loading"][size] = loading(root, size, num_images, rounds)
        write_images(Path(folder) / "files", num_images, file_size, "jpg")
        results["conversion"] = conversion(Path(folder) / "files", num_images, file_size, rounds)
    save_json(results, json)


def write_images(root: Path, count: int, size: int, suffix: str) -> None:
    """Write smooth images of noise, which compress as photographs do."""
    random = np.random.default_rng(0)
    (root / "train" / "class").mkdir(parents=True)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize((size, size), Image.Resampling.BICUBIC).save(root / "train" / "class" / f"{number}.{suffix}")


def loading(root: Path, size: int, num_images: int, rounds: int) -> dict[str, float]:
    """Take batches of floats in [-1, 1] from the byte array and from ImageFolder."""
    data = ImageFolderDataModule(str(root), image_size=size, cache_dir=str(root / "cache"))
    data.prepare_data()
    ours = endless(ByteLoader(data.arrays["train"], BATCH_SIZE))
    scale = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
    folder = ImageFolder(str(root / "train"), scale)
    many = max(200, num_images // BATCH_SIZE)  # of ours, or it would be over at once
    few = num_images // BATCH_SIZE
    runs: dict[str, Callable[[], None]] = {
        "byte array, bytes": partial(take, ours, many),
        "byte array, floats": partial(take, map(from_bytes, ours), many),
    }
    counts = dict.fromkeys(runs, many)
    cores = os.cpu_count() or 1
    for workers in (0, cores):
        loader = DataLoader(
            folder, BATCH_SIZE, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
        )
        one_epoch(loader)  # starts the workers
        name = f"ImageFolder, {workers} workers" if workers else "ImageFolder"
        runs[name], counts[name] = partial(one_epoch, loader), few
    seconds = medians(runs, rounds)
    speeds = {name: counts[name] * BATCH_SIZE / value for name, value in seconds.items()}
    ratios = {name: speeds["byte array, floats"] / value for name, value in speeds.items()}
    print_rows(
        f"{size}x{size}, batches of {BATCH_SIZE}, one core but for the workers",
        ["", "images/s", "ours is faster by"],
        [[name, f"{value:,.0f}", f"{ratios[name]:.2f}"] for name, value in speeds.items()],
    )
    return {**speeds, "ratio": ratios["ImageFolder"]}


def endless(loader: ByteLoader) -> Iterator[Tensor]:
    """Yield batches of images, epoch after epoch."""
    while True:
        for images, _ in loader:
            yield images


def take(source: Iterator[Tensor], count: int) -> None:
    """Take batches."""
    for _ in islice(source, count):
        pass


def one_epoch(loader: DataLoader[Any]) -> None:
    """Take all batches of a DataLoader."""
    for _ in loader:
        pass


def conversion(root: Path, count: int, size: int, rounds: int) -> dict[str, float]:
    """Turn JPEG files into a byte array with one thread and with all."""

    def convert(threads: int) -> None:
        with tempfile.TemporaryDirectory() as cache, patch.object(os, "cpu_count", lambda: threads):
            ImageFolderDataModule(str(root), image_size=64, cache_dir=cache).prepare_data()

    cores = os.cpu_count() or 1
    seconds = medians({"one thread": lambda: convert(1), "all cores": lambda: convert(cores)}, rounds)
    speeds = {name: count / value for name, value in seconds.items()}
    rows = {name: f"{value:,.0f} images/s" for name, value in speeds.items()}
    ratio = speeds["all cores"] / speeds["one thread"]
    print_table(f"JPEG files of {size}x{size} to a byte array of 64x64", {**rows, "ratio": f"{ratio:.2f}"})
    return {**speeds, "ratio": ratio}


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
