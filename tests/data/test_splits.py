"""Splits and classes follow from the names of folders and files."""

import random
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pytest

from slimgan_pl.data import list_images
from slimgan_pl.data.splits import Splits, find_splits
from slimgan_pl.errors import SlimGANError, SlimGANWarning


def put(root: Path, sizes: dict[str, int], first: int = 0) -> Path:
    """Put empty files, which nothing opens, into folders."""
    for name, size in sizes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + size):
            (root / name / f"{number:04}.png").touch()
    return root


def find(root: Path, fraction: float = 0.1) -> Splits:
    return find_splits(root, list_images(root), fraction)


def names(root: Path, entries: Iterable[tuple[Path, int]]) -> set[str]:
    return {path.relative_to(root).as_posix() for path, _ in entries}


@pytest.mark.parametrize("train", ["train", "Train", "TRAINING"])
@pytest.mark.parametrize("test", ["test", "Test", "testing", "VAL", "valid", "validation", "eval"])
def test_names_of_splits_are_taken_in_any_case(train: str, test: str, tmp_path: Path) -> None:
    splits = find(put(tmp_path, {f"{train}/a": 3, f"{test}/a": 2}))
    assert (splits.classes, len(splits.train), len(splits.test)) == (["a"], 3, 2)
    assert {path.parts[-3] for path, _ in splits.train} == {train}


def test_of_several_test_folders_the_first_is_used_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    splits = find(put(tmp_path, {"train": 3, "Test": 2, "val": 4, "extra": 1, ".": 1}))
    assert names(tmp_path, splits.test) == {"Test/0000.png", "Test/0001.png"}
    assert len(splits.train) == 3
    assert sorted(splits.left_out) == ["1 image beside the splits", "1 image in extra", "4 images in val"]


def test_two_spellings_of_a_split_are_refused(tmp_path: Path) -> None:
    put(tmp_path, {"Train": 3, "train": 3, "test": 3})
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("this filesystem does not tell them apart")
    with pytest.raises(SlimGANError, match="holds both Train and train; merge them"):
        find(tmp_path)


def test_a_test_folder_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlimGANError, match=r"holds test images alone, in Val; put the training images into .*train"):
        find(put(tmp_path, {"Val/a": 3}))


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"Train": 4, "car": 4}, "Train is taken for a class; to make it a split, add .*test"),
        ({"test": 4, "car": 4}, "test is taken for a class; to make it a split, add .*train"),
        ({"test": 4, ".": 4}, "test is mixed with the other images; to make it a split, add .*train"),
        ({"images/train": 4, "images/test": 4}, "the splits that lie deeper in .* are mixed"),
        ({"cat/Train": 4, "cat/val": 4, "dog/Train": 4, "dog/val": 4}, "the splits that lie deeper in .* are mixed"),
    ],
)
def test_a_folder_that_looks_like_a_split_is_no_class_without_a_warning(
    sizes: dict[str, int], words: str, tmp_path: Path
) -> None:
    with pytest.warns(SlimGANWarning, match=words):
        find(put(tmp_path, sizes))


def test_test_images_need_no_classes(tmp_path: Path) -> None:
    splits = find(put(tmp_path, {"train/a": 3, "train/b": 3, "val": 4}))
    assert splits.classes == ["a", "b"]
    assert {label for _, label in splits.train} == {0, 1}
    assert [label for _, label in splits.test] == [-1] * 4


def test_test_images_of_an_unknown_class_lose_their_labels_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path, {"train/a": 3, "train/b": 3, "test/b": 2, "test/c": 2})
    with pytest.warns(
        SlimGANWarning, match="holds what is no class of the training images: c; its images are evaluated"
    ):
        assert {label for _, label in find(tmp_path).test} == {-1}


def test_labels_of_test_images_are_those_of_the_training_classes(tmp_path: Path) -> None:
    splits = find(put(tmp_path, {"train/a": 3, "train/b": 3, "test/b": 2}))
    assert [label for _, label in splits.test] == [1, 1]


def test_an_image_stays_in_its_split_whatever_is_added_or_removed() -> None:
    root, source = Path("/"), random.Random(0)  # nothing in it is named as a split, and the paths need not exist
    for _ in range(50):
        one, other = (set(source.sample(range(400), source.randint(60, 300))) for _ in range(2))
        folders = [find_splits(root, [root / f"{number}.png" for number in sorted(some)], 0.3) for some in (one, other)]
        first, second = ({path for path, _ in splits.test} for splits in folders)
        shared = {root / f"{number}.png" for number in one & other}
        assert first & shared == second & shared


def test_classes_keep_their_test_images_when_images_are_added_to_any(tmp_path: Path) -> None:
    before = names(tmp_path, find(put(tmp_path, {"cat": 90, "dog": 60})).test)
    put(tmp_path, {"cat": 90, "fox": 30}, first=90)
    after = find(tmp_path)
    assert before <= names(tmp_path, after.test)
    assert len(before) < len(after.test)


def test_the_split_depends_on_relative_paths_alone(tmp_path: Path) -> None:
    one = put(tmp_path / "one", {"cat": 50, "dog": 50})
    other = tmp_path / "two" / "train"
    shutil.copytree(one, other)
    for path in other.rglob("*.png"):
        path.rename(path.with_suffix(".JPG"))
    held = [names(root, find(root.parent if root.name == "train" else root).test) for root in (one, other)]
    assert {name.removesuffix(".png") for name in held[0]} == {name.removesuffix(".JPG") for name in held[1]}


def test_composed_and_decomposed_names_are_in_the_same_split() -> None:
    found = []
    for form in ("NFC", "NFD"):  # macOS and Linux
        paths = [Path("/", unicodedata.normalize(form, f"é{number}.png")) for number in range(100)]
        splits = find_splits(Path("/"), paths, 0.2)
        found.append({unicodedata.normalize("NFC", path.name) for path, _ in splits.test})
    assert found[0] == found[1]


def test_a_name_that_is_no_text_is_split(tmp_path: Path) -> None:
    paths = [Path("/", f"\udcff{number}.png") for number in range(10)]
    assert len(find_splits(Path("/"), paths, 0.5).train) > 0


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5])
def test_each_class_has_about_its_share_of_the_test_images(fraction: float, tmp_path: Path) -> None:
    sizes = {"cat": 900, "dog": 200, "fox": 400}
    splits = find(put(tmp_path, sizes), fraction)
    for label, name in enumerate(splits.classes):
        share = sum(entry.label == label for entry in splits.test) / sizes[name]
        deviation = (fraction * (1 - fraction) / sizes[name]) ** 0.5
        assert abs(share - fraction) < 4 * deviation  # the rule is a threshold


def test_small_classes_have_a_test_image_and_all_keep_one_to_train_with() -> None:
    source = random.Random(0)
    for _ in range(100):
        sizes = {name: source.randint(1, 30) for name in "abcd"}
        paths = [Path("/", name, f"{source.random()}.png") for name in sizes for _ in range(sizes[name])]
        if sum(sizes.values()) - len(sizes) < 2:
            continue
        splits = find_splits(Path("/"), sorted(paths), fraction := source.choice([0.1, 0.5, 0.9]))
        assert len(splits.test) >= 2
        for label, size in enumerate(sizes.values()):
            num_test = sum(entry.label == label for entry in splits.test)
            assert num_test >= (1 if size > 1 and size * fraction >= 1 else 0)
            assert num_test < size or size == 1


def test_classes_too_small_to_hold_some_out_are_refused() -> None:
    for seed in range(20):
        with pytest.raises(SlimGANError, match="too few images to hold some out"):
            find_splits(Path("/"), [Path("/", name, f"{seed}.png") for name in "abc"], 0.1)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(SlimGANError, match=r"cannot be read \(Permission denied\); give read access"):
        list_images(tmp_path)


def test_classes_have_one_name_in_all_forms_of_unicode(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    linux = find(put(tmp_path / "linux", {"abc": 20, "caff": 20, composed: 20}))
    mac = find(put(tmp_path / "mac", {"abc": 20, "caff": 20, decomposed: 20}))
    assert mac.classes == linux.classes == ["abc", "caff", composed]
    assert {label for path, label in mac.train if path.parent.name == decomposed} == {2}
