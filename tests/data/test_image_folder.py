"""Any folder of images: splits, classes, formats, mistakes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from slimgan_pl.data import ImageFolderDataModule
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.errors import SlimGANError, SlimGANWarning


def module(root: Path, **settings: Any) -> ImageFolderDataModule:
    data = ImageFolderDataModule(str(root), **{"image_size": 16, "cache_dir": str(root.parent / "cache"), **settings})
    data.prepare_data()
    data.setup("fit")
    return data


def flat_folder(root: Path, count: int) -> Path:
    root.mkdir()
    for number in range(count):
        Image.new("RGB", (20, 20), (number * 10, 0, 0)).save(root / f"{number}.png")
    return root


def test_subfolders_are_splits_and_classes(image_folder: Path, tmp_path: Path) -> None:
    data = module(image_folder, cache_dir=str(tmp_path))
    assert data.classes == ["cat", "dog"]
    train, test = data.arrays["train"], data.arrays["test"]
    assert train.images.shape == (16, 3, 16, 16)
    assert train.labels is not None
    assert train.labels.tolist() == [0] * 8 + [1] * 8
    assert len(test.images) == 8


def test_a_flat_folder_has_no_classes_and_a_fraction_to_test_with(tmp_path: Path) -> None:
    data = module(flat_folder(tmp_path / "flat", 20), test_fraction=0.5)
    train, test = data.arrays["train"].images, data.arrays["test"].images
    assert data.num_classes == 0
    assert data.arrays["train"].labels is None
    reds = sorted(int(image[0, 0, 0]) for image in (*train, *test))
    assert 4 < len(test) < 16
    assert reds == [number * 10 for number in range(20)]


def fill(folder: Path, count: int = 2) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(folder / f"{number}.png")
    return folder


def test_a_train_folder_alone_keeps_its_classes_and_gives_a_fraction_to_test_with(tmp_path: Path) -> None:
    for name in ("a", "b"):
        fill(tmp_path / "root" / "train" / name, 10)
    data = module(tmp_path / "root")
    assert data.classes == ["a", "b"]
    train, test = (len(data.arrays[split].images) for split in ("train", "test"))
    assert train + test == 20
    assert 2 <= test <= 6


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("car", "train"):
        fill(tmp_path / "root" / name)
    with pytest.warns(SlimGANWarning, match="train is taken for a class"):
        assert module(tmp_path / "root").classes == ["car", "train"]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("a", "b", ".thumbnails", "__MACOSX/a", "a/.cache/deep"):
        fill(tmp_path / ".root" / name)
    Image.new("RGB", (4, 4)).save(tmp_path / ".root" / "a" / "._0.png")
    data = module(tmp_path / ".root")  # what lies above the folder does not matter
    assert data.classes == ["a", "b"]
    assert sum(len(array.images) for array in data.arrays.values()) == 4


def test_linked_folders_are_followed_and_loops_end(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere")
    fill(tmp_path / "root" / "a")
    (tmp_path / "root" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "b" / "up").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "a" / "here").symlink_to(".")
    data = module(tmp_path / "root")
    assert data.classes == ["a", "b"]
    assert sum(len(array.images) for array in data.arrays.values()) == 4


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    root = flat_folder(tmp_path / "flat", 4)
    module(root)
    Image.new("RGB", (30, 30), (0, 255, 0)).save(root / "0.png")
    images = [image for array in module(root).arrays.values() for image in array.images]
    assert max(int(image[1].max()) for image in images) == 255


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 4), 77), (77, 77, 77)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), (255, 0, 0)),
        (Image.new("RGBA", (4, 4), (9, 9, 9, 0)), (255, 255, 255)),
        (Image.new("LA", (4, 4), (9, 255)), (9, 9, 9)),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 257 * 5, np.uint16)), (5, 5, 5)),
        (Image.new("RGB", (4, 4), (1, 2, 3)).quantize(), (1, 2, 3)),
    ],
    ids=["grey", "bilevel", "cmyk", "transparent", "grey-alpha", "16-bit white", "16-bit", "palette"],
)
def test_any_mode_becomes_bytes_of_the_same_colour(image: Image.Image, expected: tuple[int, ...]) -> None:
    pixels = convert_image(image, Transform(2, 3, None))
    assert pixels.shape == (3, 2, 2)
    assert tuple(pixels[:, 0, 0].tolist()) == expected
    assert convert_image(image, Transform(2, 1, None)).shape == (1, 2, 2)


def test_the_crop_is_taken_from_the_centre() -> None:
    image = Image.new("RGB", (10, 6), "red")
    image.paste("blue", (2, 0, 8, 6))
    assert (convert_image(image, Transform(6, 3, None))[2] == 255).all()
    assert (convert_image(image, Transform(4, 3, 4))[2] == 255).all()


def test_the_resize_is_antialiased() -> None:
    checkerboard = np.indices((64, 64)).sum(0) % 2 * 255
    pixels = convert_image(Image.fromarray(checkerboard.astype(np.uint8)), Transform(8, 1, None))
    assert abs(int(pixels[0, 4, 4]) - 128) < 3  # plain bilinear would give 0, 255 or a moiré


def test_a_corrupt_image_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    root = flat_folder(tmp_path / "flat", 6)
    whole = (root / "3.png").read_bytes()
    (root / "3.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SlimGANError, match=r"3\.png cannot be used"):
        module(root)
    assert not list((tmp_path / "cache").glob(".*.part"))


def cut_images(root: Path, numbers: list[int]) -> None:
    for number in numbers:
        path = root / f"{number}.png"
        path.write_bytes(path.read_bytes()[:50])


def test_all_broken_images_are_counted_in_one_error_and_the_first_ten_named(tmp_path: Path) -> None:
    root = flat_folder(tmp_path / "flat", 25)
    cut_images(root, list(range(5, 20)))
    with pytest.raises(
        SlimGANError, match=r"15 of 25 images cannot be used: .*, and 5 more; repair .*skip_broken"
    ) as error:
        module(root)
    assert str(error.value).count(".png (") == 10


def test_skipped_images_fall_out_of_their_split_and_labels_stay_with_the_rest(tmp_path: Path) -> None:
    for name, red in (("a", 100), ("b", 200)):
        (tmp_path / "root" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (4, 4), (red, number, 0)).save(tmp_path / "root" / name / f"{number}.png")
    whole = module(tmp_path / "root", test_fraction=0.3)
    cut_images(tmp_path / "root" / "a", [0, 1, 2, 7])
    cut_images(tmp_path / "root" / "b", [5])
    pixels = {
        split: [tuple(image[:2, 0, 0].tolist()) for image in array.images] for split, array in whole.arrays.items()
    }
    gone = {(100, 0), (100, 1), (100, 2), (100, 7), (200, 5)}
    for _ in range(2):  # built, then from the cache
        with pytest.warns(SlimGANWarning, match="left out: 5 of 20 images cannot be used: .*png"):
            data = module(tmp_path / "root", test_fraction=0.3, skip_broken=True)
        for split, array in data.arrays.items():
            kept = [pixel for pixel in pixels[split] if pixel not in gone]
            assert [tuple(image[:2, 0, 0].tolist()) for image in array.images] == kept
            assert array.labels is not None
            assert array.labels.tolist() == [int(red == 200) for red, _ in kept]


def test_the_summary_tells_of_broken_images_and_other_files(tmp_path: Path) -> None:
    root = flat_folder(tmp_path / "flat", 25)
    cut_images(root, [3])
    for name in ("a.txt", "b.csv"):
        (root / name).touch()
    with pytest.warns(SlimGANWarning, match=r"not read as an image: 1 \.csv, 1 \.txt$"):
        data = module(root, skip_broken=True)
    assert data.summary().left_out == ["1 broken image", "2 other files"]


@pytest.mark.parametrize(
    ("target", "reason"), [("nowhere.png", "No such file or directory"), ("x.png", "Too many levels of symbolic links")]
)
def test_a_link_to_nowhere_or_to_itself_is_skipped_too(target: str, reason: str, tmp_path: Path) -> None:
    root = flat_folder(tmp_path / "flat", 60)
    (root / "x.png").symlink_to(target)
    with pytest.warns(SlimGANWarning, match=rf"x\.png cannot be used \({reason}\)"):
        data = module(root, skip_broken=True)
    assert sum(len(array.images) for array in data.arrays.values()) == 60


def test_too_little_beside_broken_images_is_refused(tmp_path: Path) -> None:
    for split, count in (("train", 4), ("test", 3)):
        for name in ("a", "b"):
            fill(tmp_path / "root" / split / name, count)
    for path in list((tmp_path / "root" / "train" / "b").iterdir()):
        path.write_bytes(b"")
    with (
        pytest.raises(SlimGANError, match="no training image of the class b can be used"),
        pytest.warns(SlimGANWarning),
    ):
        module(tmp_path / "root", skip_broken=True)
    for path in sorted((tmp_path / "root" / "test").rglob("*.png"))[1:]:
        path.write_bytes(b"")
    with pytest.raises(SlimGANError, match="fewer than 2 test images can be used"), pytest.warns(SlimGANWarning):
        module(tmp_path / "root", skip_broken=True)


def test_a_split_without_a_usable_image_is_refused_even_if_broken_ones_are_skipped(tmp_path: Path) -> None:
    root = flat_folder(tmp_path / "flat", 6)
    cut_images(root, list(range(6)))
    with pytest.raises(SlimGANError, match="6 of 6 images cannot be used") as error:
        module(root, skip_broken=True)
    assert "skip_broken" not in str(error.value)


@pytest.mark.parametrize(
    ("prepare", "settings", "words"),
    [
        (lambda root: None, {}, "there is no folder"),
        (lambda root: root.mkdir(), {}, "no images in"),
        (lambda root: flat_folder(root, 2), {}, "images in .*root is 2; give at least 3"),
        (lambda root: [fill(root / "train", 3), fill(root / "test", 0)], {}, "no images in .*test"),
        (lambda root: [fill(root / "train", 0), fill(root / "test", 3)], {}, "no images in .*train"),
        (lambda root: [fill(root / "train", 3), fill(root / "test", 1)], {}, "1 image in .*test; give at least 2"),
        (lambda root: flat_folder(root, 3), {"crop": 50}, "smaller than the crop"),
        (lambda root: flat_folder(root, 3), {"test_fraction": 1.0}, "between 0 and 1"),
        (lambda root: flat_folder(root, 3), {"batch_size": 0}, "at least 1"),
    ],
)
def test_mistakes_say_what_is_wrong(tmp_path: Path, prepare: Any, settings: dict[str, Any], words: str) -> None:
    prepare(tmp_path / "root")
    with pytest.raises(SlimGANError, match=words):
        module(tmp_path / "root", **settings)


def test_a_flat_test_folder_has_no_labels_and_the_classes_of_training_stay(tmp_path: Path) -> None:
    for name in ("a", "b"):
        fill(tmp_path / "root" / "train" / name)
    fill(tmp_path / "root" / "val", 3)
    data = module(tmp_path / "root")
    assert data.num_classes == 2
    assert data.arrays["train"].labels is not None
    assert data.arrays["test"].labels is None
    assert "2 classes (a: 2, b: 2)" in str(data.summary())


def test_folders_beside_the_splits_are_named_in_the_summary(tmp_path: Path) -> None:
    for name in ("train", "test", "val"):
        fill(tmp_path / "root" / name, 3)
    assert str(module(tmp_path / "root").summary()).endswith("left out: 3 images in val")


def test_unicode_and_spaces_in_names_are_fine(tmp_path: Path) -> None:
    root = flat_folder(tmp_path / "mes images", 3)
    (root / "1.png").rename(root / "é 数.png")
    assert sum(len(array.images) for array in module(root).arrays.values()) == 3


def test_broken_images_of_both_splits_are_counted_where_one_holds_nothing_else(tmp_path: Path) -> None:
    for split, good, broken in (("train", 5, 1), ("test", 0, 3)):
        (tmp_path / split).mkdir()
        for number in range(good + broken):
            path = tmp_path / split / f"{number}.png"
            Image.new("L", (4, 4), 200).save(path) if number < good else path.touch()
    data = ImageFolderDataModule(
        str(tmp_path), 4, image_channels=1, skip_broken=True, cache_dir=str(tmp_path / "cache")
    )
    with pytest.raises(SlimGANError, match="4 of 9 images cannot be used"):
        data.prepare_data()
