"""A checkpoint records its images, and a run that resumes says how they have changed."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import TINY, fails, run
from PIL import Image

from slimgan_pl.data import ByteArray, DigitsDataModule, ImageFolderDataModule
from slimgan_pl.data.record import DataRecord
from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.checkpoints import read_checkpoint

NAMES = ["cat", "dog"]
CONDITIONAL = TINY.replace("latent_dim: 8,", "latent_dim: 8, num_classes: 2,").replace(
    "channels: [4, 4, 4],", "channels: [4, 4, 4], num_classes: 2,"
)
FOLDER: list[Any] = ["--model.evaluator", "null", "--data", "ImageFolderDataModule", "--data.root", "images"]
FOLDER += ["--data.image_size", 16, "--data.image_channels", 1, "--data.batch_size", 4]


def array(values: Sequence[int], labels: Sequence[int] | None = None) -> ByteArray:
    """Return images that each have one value."""
    images = np.repeat(np.array(values, np.uint8), 12).reshape(-1, 3, 2, 2)
    return ByteArray(images, None if labels is None else np.array(labels, np.int64))


def record(train: ByteArray, test: ByteArray, classes: Sequence[str] = ()) -> DataRecord:
    return DataRecord.of({"train": train, "test": test}, classes)


BEFORE = record(array([1, 2, 2, 3], [0, 0, 0, 1]), array([8, 9]), NAMES)


@pytest.mark.parametrize(
    ("train", "test", "phrases"),
    [
        ([1, 2, 2, 3], [8, 9], []),
        ([1, 2, 2, 3, 4], [8, 9], ["1 training image added"]),
        ([1, 2, 3], [8, 9], ["1 training image removed"]),  # one of two equal ones
        ([1, 2, 2, 2, 3], [8, 9], ["1 training image added"]),
        ([1, 2, 2, 5], [8, 9], ["1 training image added and 1 removed"]),  # replaced
        ([1, 2, 2, 3], [8, 9, 10, 11], ["2 test images added"]),
        (
            [1, 2, 3, 9],
            [8],
            [
                "1 training image added and 1 removed",
                "1 test image removed",
                "1 former test image is now trained on",
            ],
        ),
        (
            [1, 3],
            [2, 8, 9],
            [
                "2 training images removed",
                "1 test image added",
                "1 former training image is now tested with",
            ],
        ),
        ([5, 6], [8, 9], ["all training images have other pixels (4 -> 2)"]),
        ([3, 2, 2, 1], [8, 9], ["the training images are in another order"]),
    ],
)
def test_changes_are_counted_by_pixels(train: list[int], test: list[int], phrases: list[str]) -> None:
    labels = [int(value == 3) for value in train]
    assert record(array(train, labels), array(test), NAMES).changes_since(BEFORE) == phrases


def test_other_labels_and_classes_are_changes() -> None:
    assert record(array([1, 2, 2, 3], [0, 1, 1, 1]), array([8, 9]), NAMES).changes_since(BEFORE) == [
        "2 training images with another label"
    ]
    moved = record(array([1, 2, 3, 2, 7], [0, 0, 0, 1, 1]), array([8, 9]), NAMES)  # files that have moved, and one more
    assert moved.changes_since(BEFORE) == ["2 training images with another label", "1 training image added"]
    more = record(array([1, 2, 2, 3], [0, 0, 0, 1]), array([8, 9]), [*NAMES, "fox"])
    assert more.changes_since(BEFORE) == ["other classes (2 -> 3)"]


def test_a_record_returns_from_a_checkpoint_without_code() -> None:
    file = io.BytesIO()
    torch.save(BEFORE.to_state(), file)
    file.seek(0)
    loaded = DataRecord.from_state(torch.load(file, weights_only=True))
    assert BEFORE.changes_since(loaded) == []
    assert loaded.changes_since(BEFORE) == []
    assert len(loaded.hashes["train"]) == 4


LABELLED = {"hashes": {"train": torch.arange(2)}, "labels": {"train": torch.tensor([0, 5])}, "classes": NAMES}


@pytest.mark.parametrize("state", [{}, {"hashes": 3}, {"hashes": {"train": 3}, "labels": {}, "classes": []}, LABELLED])
def test_a_record_of_another_form_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(SlimGANError, match="the checkpoint's record of its data"):
        DataRecord.from_state(state)


def test_the_record_of_a_byte_array_is_that_of_its_pixels(image_folder: Path, tmp_path: Path) -> None:
    data = ImageFolderDataModule(str(image_folder), image_size=16, cache_dir=str(tmp_path))
    data.prepare_data()
    data.setup("fit")
    assert all(array.folder is not None for array in data.arrays.values())
    copied = {split: ByteArray(np.array(array.images), array.labels) for split, array in data.arrays.items()}
    assert DataRecord.of(copied, ["cat", "dog"]).changes_since(data.record) == []


def test_images_keep_their_record_in_another_place(image_folder: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        for path in image_folder.rglob("*.*"):
            target = tmp_path / name / path.relative_to(image_folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())  # with a time of its own
        data = ImageFolderDataModule(str(tmp_path / name), image_size=16, cache_dir=str(tmp_path / "cache"))
        data.setup("fit")
        found.append(data.record)
    assert found[1].changes_since(found[0]) == []


def test_all_data_modules_have_a_record() -> None:
    data = DigitsDataModule()
    data.setup("fit")
    state = data.state_dict()
    assert [len(state["hashes"][split]) for split in ("train", "test")] == [1347, 450]


def write(folder: str, *numbers: int) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        pixels = np.random.default_rng(number).integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(f"{folder}/{number:03}.png")


def fit(iterations: int, *options: Any) -> list[Any]:
    return ["fit", "--config", "tiny.yaml", *FOLDER, "--trainer.max_steps", iterations, *options]


@pytest.fixture
def trained(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Leave a conditional run of two classes in the working directory."""
    config.write_text(CONDITIONAL)
    for number, name in enumerate(NAMES):
        write(f"images/train/{name}", *range(100 * number, 100 * number + 10))
    write("images/test", *range(900, 904))
    run(*fit(1))
    capsys.readouterr()


def resumed(capsys: pytest.CaptureFixture[str], iterations: int = 2) -> list[str]:
    """Resume the run; return what it says of the data."""
    run(*fit(iterations, "--ckpt_path", "last"))
    return [line for line in capsys.readouterr().out.splitlines() if "the checkpoint: data: " in line]


def test_a_run_that_resumes_says_how_its_images_have_changed(trained: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert resumed(capsys) == []
    write("images/train/cat", *range(50, 57))
    Path("images/train/dog/100.png").unlink()
    assert resumed(capsys, 3) == ["Changed since the checkpoint: data: 7 training images added and 1 removed"]
    assert resumed(capsys, 4) == []


def test_labels_that_would_mean_other_classes_are_refused(trained: None, capsys: pytest.CaptureFixture[str]) -> None:
    Path("images/train/dog").rename("images/train/bee")
    status, said = fails(capsys, *fit(2, "--ckpt_path", "last"))
    assert status == 1
    assert "label 0 is bee here but cat in the checkpoint, so labels would change their meaning" in said
    assert read_checkpoint("runs/version_0/checkpoints/last.ckpt")["global_step"] == 1


def test_a_checkpoint_without_record_of_held_out_images_is_named(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("images", *range(20))
    run(*fit(1))
    path = Path("runs/version_0/checkpoints/last.ckpt")
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["ImageFolderDataModule"]
    torch.save(checkpoint, path)
    capsys.readouterr()
    run(*fit(2, "--ckpt_path", "last"))
    assert "the checkpoint has no record of these images; if version 0.1.0 wrote it" in capsys.readouterr().err
