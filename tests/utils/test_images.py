"""Bytes and pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.images import (
    check_others,
    from_bytes,
    holds_pictures,
    save_images,
    save_sets,
    to_bytes,
    width_grid,
)


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


def values(folder: Path) -> dict[str, int]:
    """Return the value of each image in a folder."""
    found = {}
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as picture:
            found[path.relative_to(folder).as_posix()] = picture.getpixel((0, 0))
    return found


def flat(count: int, value: int) -> torch.Tensor:
    return torch.full((count, 1, 4, 4), value, dtype=torch.uint8)


def test_images_replace_those_of_the_same_names_and_never_join_others(tmp_path: Path) -> None:
    save_images(flat(2, 10), tmp_path)
    save_images(flat(3, 20), tmp_path)
    assert values(tmp_path) == {"00000.png": 20, "00001.png": 20, "00002.png": 20}
    with pytest.raises(SlimGANError, match=r"holds another image, such as 00002\.png; name another --output"):
        save_images(flat(2, 30), tmp_path)
    assert set(values(tmp_path).values()) == {20}


def test_files_that_no_evaluation_reads_may_stay(tmp_path: Path) -> None:
    for name in ("notes.txt", ".hidden.png", ".part/00000.png", "b/00000.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    check_others(tmp_path, ["a", "b"], 1)
    with pytest.raises(SlimGANError, match="another image"):
        check_others(tmp_path, ["a"], 1)


def test_sets_that_are_interrupted_leave_what_was_there(tmp_path: Path) -> None:
    save_sets([("a", flat(2, 10)), ("b", flat(2, 10))], tmp_path)
    before = values(tmp_path)

    def interrupted() -> Iterator[tuple[str, torch.Tensor]]:
        yield "a", flat(2, 20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_sets(interrupted(), tmp_path)
    assert values(tmp_path) == before
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_formats_that_hold_pictures_are_told_from_those_of_icons_and_of_other_libraries() -> None:
    kept = {suffix for suffix in (".png", ".JPG", ".gif", ".webp", ".tiff", ".bmp", ".pdf") if holds_pictures(suffix)}
    assert kept == {".png", ".JPG", ".gif", ".webp", ".tiff", ".bmp", ".pdf"}
    assert not any(holds_pictures(suffix) for suffix in (".ico", ".icns", ".xbm", ".wmf", ".h5", ".txt", ""))
