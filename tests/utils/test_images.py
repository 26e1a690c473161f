"""Bytes and pictures."""

from pathlib import Path

import torch
from PIL import Image

from slimgan_pl.utils.images import from_bytes, save_images, to_bytes, width_grid


def test_bytes_survive_the_way_to_floats_and_back() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(to_bytes(from_bytes(pixels)), pixels)
    assert from_bytes(pixels).min() == -1
    assert from_bytes(pixels).max() == 1


def test_a_grid_has_a_row_per_width_and_a_column_per_latent(tmp_path: Path) -> None:
    rows = [torch.full((5, 1, 64, 64), value) for value in (-1.0, 1.0)]
    save_images(width_grid(rows), tmp_path / "new" / "grid.png")
    with Image.open(tmp_path / "new" / "grid.png") as picture:
        assert picture.size == (5 * 65 + 1, 2 * 65 + 1)
        assert picture.getpixel((30, 30)) == (0, 0, 0)
        assert picture.getpixel((30, 100)) == (255, 255, 255)
