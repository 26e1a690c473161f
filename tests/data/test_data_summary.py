"""The line of data says what was found."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from slimgan_pl.data import DataSummary, DigitsDataModule, ImageFolderDataModule


def line(sizes: Sequence[int], names: Sequence[str] = (), left_out: Sequence[str] = ()) -> str:
    return str(DataSummary(sum(sizes) or 10, 2, names, sizes, 64, 3, left_out))


@pytest.mark.parametrize(
    ("sizes", "names", "words"),
    [
        ([], [], "Data: 10 training and 2 test images, 64x64, 3 channels"),
        ([4], ["cat"], "1 class (cat: 4)"),
        ([1400, 600], ["cat", "dog"], "2,000 training and 2 test images, 2 classes (cat: 1,400, dog: 600), 64x64"),
        ([400, 40], ["cat", "dog"], "2 classes (cat: 400, dog: 40), 64x64"),
        ([401, 40], ["cat", "dog"], "2 classes (cat: 401, dog: 40; skewed by a factor of 10), 64x64"),
        ([5, 0], ["cat", "dog"], "2 classes (cat: 5, dog: 0; skewed, as one has none), 64x64"),
        ([7] * 100, [], "100 classes (7 images each), 64x64"),
        ([9, 7, 8, 9, 9, 90], list("abcdef"), "6 classes (b: 7 to f: 90; skewed by a factor of 13), 64x64"),
        ([3, 5], [], "2 classes (class 0: 3, class 1: 5)"),
    ],
)
def test_classes_are_named_with_their_sizes(sizes: list[int], names: list[str], words: str) -> None:
    assert words in line(sizes, names)


def test_what_was_left_out_is_named_at_the_end() -> None:
    assert line([], left_out=["3 files", "12 images in val"]).endswith(
        "3 channels; left out: 3 files, 12 images in val"
    )


def test_a_data_module_counts_its_arrays(image_folder: Path, tmp_path: Path) -> None:
    data = ImageFolderDataModule(str(image_folder), image_size=16, cache_dir=str(tmp_path))
    data.prepare_data()
    data.setup("fit")
    expected = "Data: 16 training and 8 test images, 2 classes (cat: 8, dog: 8), 16x16, 3 channels"
    assert str(data.summary()) == expected


def test_the_digits_have_ten_classes_of_about_equal_size() -> None:
    data = DigitsDataModule()
    data.setup("fit")
    summary = data.summary()
    assert (summary.num_train, summary.num_test, sum(summary.class_sizes)) == (1347, 450, 1347)
    assert "10 classes" in str(summary)
    assert str(summary).endswith("16x16, 1 channel")
