"""Statistics of real images are computed once, and never taken from a file that cannot be trusted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from evaluations import MeanColour, generator, noise, repeatable
from safetensors.torch import load_file, save_file

from slimgan_pl.data import ByteArray
from slimgan_pl.errors import SlimGANWarning
from slimgan_pl.evaluation import Evaluator


class Counting(MeanColour):
    """Counts the images that it has seen."""

    name = "counting"

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen += len(images)
        return super().forward(images)


FAKES = 3 * 20 + 2  # of three widths, and the two images of noise


def evaluate(real: ByteArray, **settings: Any) -> tuple[dict[str, Any], int]:
    """Return the metrics of a fresh evaluator, and how many real images it has seen."""
    torch.manual_seed(0)
    evaluator = Evaluator(Counting(), **{"num_fake": 20, **settings})
    result = repeatable(evaluator.evaluate(generator(), real))
    assert isinstance(evaluator.extractor, Counting)
    return result, evaluator.extractor.seen - FAKES


@pytest.fixture
def real(tmp_path: Path) -> ByteArray:
    return noise(40, folder=tmp_path / "noise-0123")


def cache_file(real: ByteArray) -> Path:
    assert real.folder is not None
    (path,) = real.folder.parent.glob("*.safetensors")
    return path


def test_real_images_are_seen_once(real: ByteArray) -> None:
    first, seen = evaluate(real)
    assert seen == 40
    assert evaluate(real) == (first, 0)


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evaluate(noise(40))
    assert list(tmp_path.iterdir()) == []


def test_an_evaluator_remembers_the_real_images_it_has_seen() -> None:
    evaluator, real = Evaluator(Counting(), num_fake=20), noise(40)
    for _ in range(2):
        evaluator.evaluate(generator(), real)
    assert isinstance(evaluator.extractor, Counting)
    assert evaluator.extractor.seen == 40 + 2 * FAKES - 2


@pytest.mark.parametrize("settings", [{"num_real": 30}, {"metrics": ["fid"]}, {"classifier": "digits"}])
def test_what_the_statistics_depend_on_makes_new_ones(real: ByteArray, settings: dict[str, Any]) -> None:
    evaluate(real)
    assert evaluate(real, **settings)[1] == settings.get("num_real", 40)


def test_other_images_make_new_ones(real: ByteArray, tmp_path: Path) -> None:
    evaluate(real)
    assert evaluate(noise(40, folder=tmp_path / "noise-4567"))[1] == 40


def test_an_extractor_that_changed_its_code_makes_new_ones(real: ByteArray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name, class and weights are as before; what it makes of images is not."""
    evaluate(real)
    monkeypatch.setattr(Counting, "scale", 1.5)
    assert evaluate(real)[1] == 40


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def change_a_number(path: Path) -> None:
    tensors = load_file(path)
    key = json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])["__metadata__"]
    tensors["mean"] += 1
    save_file(tensors, path, key)


def say_nothing(path: Path) -> None:
    save_file(load_file(path), path)


def be_another(path: Path) -> None:
    save_file({"mean": torch.zeros(3)}, path, {"key": "another"})


@pytest.mark.parametrize("damage", [cut, empty, flip_a_bit, change_a_number, say_nothing, be_another])
def test_a_broken_or_foreign_file_is_computed_again(real: ByteArray, damage: Callable[[Path], None]) -> None:
    first, _ = evaluate(real)
    damage(cache_file(real))
    assert evaluate(real) == (first, 40)
    assert evaluate(real) == (first, 0)


def test_a_file_that_cannot_be_written_is_warned_of_and_nothing_is_left(
    real: ByteArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.warns(SlimGANWarning, match=r"could not be kept in .*No space left"):
        result, _ = evaluate(real)
    assert np.isfinite(result["widths"][0]["fid_counting"])
    assert real.folder is not None
    assert list(real.folder.parent.iterdir()) == []
