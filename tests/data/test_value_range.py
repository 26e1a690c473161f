"""Values of more than 8 bits are scaled by their range, and a data set without one is refused."""

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from slimgan_pl.data import ImageFolderDataModule
from slimgan_pl.data.image_files import open_image
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.errors import SlimGANError, SlimGANWarning

SHARES = np.linspace(0, 1, 16)[None].repeat(16, 0)
EXPECTED = (SHARES * 255).round().astype(np.uint8)


def tiff(values: npt.NDArray[Any], bits: int, sample_format: int = 1, photometric: int = 1) -> bytes:
    """Return a TIFF of a grey image, written by hand."""
    height, width = values.shape
    data = values.tobytes()
    if bits == 12:
        high, low = values.reshape(-1, 2).T.astype(int)
        data = np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], 1).astype(np.uint8).tobytes()
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: height}
    tags |= {279: len(data), 339: sample_format}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory


def scaled(low: float, high: float, dtype: str) -> npt.NDArray[Any]:
    values = low + SHARES * (high - low)
    return values.astype(dtype) if dtype.startswith("<f") else values.round().astype(dtype)


@pytest.mark.parametrize(
    ("content", "value_range"),
    [
        (tiff(scaled(0, 65535, "<u2"), 16), None),
        (tiff(scaled(0, 4095, "<u2"), 12), None),
        (tiff(scaled(65535, 0, "<u2"), 16, photometric=0), None),
        (tiff(scaled(0, 4095, "<u2"), 16), (0, 4095)),
        (tiff(scaled(-32768, 32767, "<i2"), 16, 2), (-32768, 32767)),
        (tiff(scaled(0, 4095, "<u4"), 32), (0, 4095)),
        (tiff(scaled(0, 4294967295, "<u4"), 32), (0, 4294967295)),
        (tiff(scaled(-1000, 3000, "<i4"), 32, 2), (-1000, 3000)),
        (tiff(scaled(0, 1, "<f4"), 32, 3), (0, 1)),
        (tiff(scaled(-1, 1, "<f4"), 32, 3), (-1, 1)),
        (tiff(scaled(1, 0, "<f4"), 32, 3, photometric=0), (0, 1)),
        (b"P5 16 16 65535\n" + scaled(0, 65535, ">u2").tobytes(), None),
        (tiff(scaled(-100, 100, "i1"), 8, 2), (-100, 100)),
        (b"P5 16 16 4095\n" + scaled(0, 4095, ">u2").tobytes(), None),
        (b"Pf 16 16 -1\n" + scaled(0, 1, "<f4").tobytes(), (0, 1)),
    ],
    ids=[
        *("16 bits", "12 packed bits", "white is zero", "12 bits in 16", "signed 16", "12 bits in 32", "unsigned 32"),
        *("signed 32", "floats", "signed floats", "floats, white is zero", "signed 8", "PGM", "PGM of 12 bits", "PFM"),
    ],
)
def test_the_range_of_a_file_or_the_given_one_becomes_black_to_white(
    content: bytes, value_range: tuple[float, float] | None, tmp_path: Path
) -> None:
    (tmp_path / "image").write_bytes(content)
    with open_image(tmp_path / "image") as image:
        pixels = convert_image(image, Transform(16, 1, None, value_range))
    assert np.abs(pixels[0].astype(int) - EXPECTED).max() <= (value_range is None and content[:2] == b"P5")


def fill(folder: Path, contents: list[bytes]) -> Path:
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"{number:02d}.tif").write_bytes(content)
    return folder


def read(root: Path, **settings: Any) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """Return all images of a folder, and the warnings."""
    cache_dir = str(root.parent / "cache")
    data = ImageFolderDataModule(str(root), 16, image_channels=1, cache_dir=cache_dir, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SlimGANWarning)
        data.prepare_data()
    return np.concatenate([array.images for array in data.arrays.values()]), [str(each.message) for each in caught]


@pytest.mark.parametrize(
    ("content", "found", "example"),
    [
        (tiff(scaled(0, 0.9, "<f4"), 32, 3), "32-bit floats from 0 to 0.9", "[0, 1]"),
        (tiff(scaled(-1, 1, "<f4"), 32, 3), "32-bit floats from -1 to 1", "[-1, 1]"),
        (tiff(scaled(0, 4000, "<u4"), 32), "32-bit integers from 0 to 4000", "[0, 4095]"),
        (tiff(scaled(-7, 9e5, "<i4"), 32, 2), "32-bit signed integers from -7 to 900000", "[-7, 900000]"),
    ],
)
def test_a_data_set_of_unknown_range_is_refused_with_what_was_found(
    content: bytes, found: str, example: str, tmp_path: Path
) -> None:
    fill(tmp_path / "root", [content] * 4)
    with pytest.raises(SlimGANError) as error:  # also where broken images are skipped: these are not broken
        read(tmp_path / "root", skip_broken=True)
    assert str(error.value).endswith(f"for example --data.value_range '{example}'")
    assert f"in 2 of the images are {found}, whose" in str(error.value)


def test_a_given_range_is_part_of_the_key_and_says_what_it_clips(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", [tiff(scaled(0, 1, "<f4"), 32, 3)] * 4)
    whole, told = read(root, value_range=(0, 1))
    assert told == []
    assert (whole[:, 0] == EXPECTED).all()
    half, told = read(root, value_range=(0, 0.5))
    assert (half[:, 0, :, 8:] == 255).all()
    assert len(told) == 1
    assert "in 4 of the images are 32-bit floats from 0 to 1; what lies outside" in told[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tiff(scaled(0, 4095, "<u2"), 16), "nearly black where 65535 is white; give --data.value_range '[0, 4095]'"),
        (tiff(scaled(0, 4095, "<u2"), 16, photometric=0), "nearly white where 65535 is black"),
        (tiff(scaled(0, 1, "<u1"), 8), "8-bit values from 0 to 1, nearly black where 255 is white; brighten"),
    ],
)
def test_a_data_set_that_is_nearly_black_is_warned_of_in_each_run(content: bytes, words: str, tmp_path: Path) -> None:
    root = fill(tmp_path / "root", [content] * 4)
    for _ in range(2):  # built, then from the cache
        _, told = read(root)
        assert len(told) == 1
        assert words in told[0]


def test_one_bright_image_is_enough(tmp_path: Path) -> None:
    dark, bright = tiff(scaled(0, 4095, "<u2"), 16), tiff(scaled(0, 65535, "<u2"), 16)
    (tmp_path / "root").mkdir()
    fill(tmp_path / "root" / "train", [dark, dark, dark, bright])
    fill(tmp_path / "root" / "test", [dark, dark])
    assert read(tmp_path / "root")[1] == []


def test_what_test_images_alone_hold_counts_too(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    fill(root / "train", [tiff(scaled(0, 1, "<f4"), 32, 3)] * 3)
    fill(root / "test", [tiff(scaled(0, 3, "<f4"), 32, 3)] * 2)
    (told,) = read(root, value_range=(0, 1))[1]
    assert "in 5 of the images are 32-bit floats from 0 to 3; what lies outside" in told
    for number, path in enumerate(sorted((root / "train").iterdir())):
        path.write_bytes(tiff(scaled(0, 255 - number, "<u1"), 8))
    (told,) = read(root, value_range=(0, 1))[1]
    assert "in 2 of the images are 32-bit floats" in told  # the range is used


def test_a_range_that_no_image_needs_is_warned_of(tmp_path: Path) -> None:
    _, told = read(fill(tmp_path / "root", [tiff(scaled(0, 255, "<u1"), 8)] * 4), value_range=(0, 1))
    assert told == ["--data.value_range is not used: no training or test image holds more than 8 bits"]


def test_values_that_are_not_finite_are_a_broken_image(tmp_path: Path) -> None:
    contents = [tiff(scaled(0, 1, "<f4"), 32, 3)] * 4 + [tiff(np.full((16, 16), np.nan, "<f4"), 32, 3)]
    with pytest.raises(SlimGANError, match=r"04\.tif cannot be used \(it holds values that are not finite\)"):
        read(fill(tmp_path / "root", contents), value_range=(0, 1))


@pytest.mark.parametrize("value_range", [(1, 0), (1, 1), (0, float("inf")), (float("nan"), 1)])
def test_a_range_is_two_numbers_that_ascend(value_range: tuple[float, float], tmp_path: Path) -> None:
    with pytest.raises(SlimGANError, match="two finite numbers that ascend"):
        ImageFolderDataModule(str(tmp_path), 16, value_range=value_range)
