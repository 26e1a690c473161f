"""Folders of images to evaluate: what can be read of them, and what is said of the rest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from slimgan_pl.data import BrokenImagesError, list_images
from slimgan_pl.evaluation import FolderSource
from slimgan_pl.evaluation.protocols import Counts


def source(folder: Path, value_range: tuple[float, float] | None = None) -> FolderSource:
    """Return a source of all images in a folder."""
    paths = list_images(folder)
    images = FolderSource(folder, paths, (1, 4, 4), torch.device("cpu"), value_range)
    images.start(Counts(len(paths), len(paths), len(paths)), seed=0)
    return images


def test_values_of_more_than_8_bits_are_scaled_by_the_range_of_the_data(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 0.4, np.float32)).save(tmp_path / "a.tif")
    Image.new("L", (4, 4), 7).save(tmp_path / "b.png")
    (images,) = source(tmp_path, value_range=(0, 1)).draw(torch.arange(2))
    assert images.flatten(1).tolist() == [[102] * 16, [7] * 16]


def test_all_images_that_cannot_be_used_are_counted_at_the_first(tmp_path: Path) -> None:
    for number in range(30):
        Image.new("L", (4, 4), number).save(tmp_path / f"{number:02}.png")
    for number in range(3, 30, 2):
        (tmp_path / f"{number:02}.png").write_bytes(b"")
    with pytest.raises(BrokenImagesError, match=r"14 of 30 images cannot be used: .*03\.png .*21\.png .*, and 4 more"):
        source(tmp_path).draw(torch.arange(4))


@pytest.mark.parametrize(
    ("values", "value_range", "words"),
    [
        (
            np.full((4, 4), 1000, np.uint16),
            None,
            "16-bit integers from 1000 to 1000, nearly black where 65535 is white",
        ),
        (np.full((4, 4), 20, np.uint8), None, "8-bit values from 20 to 20, nearly black"),
        (np.full((4, 4), 0.9, np.float32), (0, 0.5), "outside --data.value_range '[0, 0.5]' is clipped"),
        (np.full((4, 4), 200, np.uint8), (0, 4095), None),  # what slimgan sample writes beside data of 12 bits
    ],
)
def test_dark_and_clipped_images_are_told_of_once_they_are_read(
    values: np.ndarray[Any, Any], value_range: tuple[float, float] | None, words: str | None, tmp_path: Path
) -> None:
    Image.fromarray(values).save(tmp_path / "a.tif")
    images = source(tmp_path, value_range)
    assert images.warnings() == []
    images.draw(torch.arange(1))
    assert len(images.warnings()) == (words is not None)
    assert words is None or words in images.warnings()[0]
