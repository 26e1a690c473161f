"""Each example runs, in a small form."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from slimgan_pl.data import DigitsDataModule
from slimgan_pl.models import load_generator

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_example(name: str, **arguments: Any) -> Any:
    """Call the main function of an example."""
    return runpy.run_path(str(EXAMPLES / name))["main"](**arguments)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def test_every_example_has_a_test() -> None:
    text = Path(__file__).read_text()
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))


def test_train_in_python() -> None:
    run_example("train_in_python.py", max_steps=2, root="runs", num_images=20)
    with Image.open("runs/version_0/samples.png") as picture:
        assert picture.height > 4 * 64


def test_a_folder_of_the_real_images_is_at_no_distance_from_them() -> None:
    data = DigitsDataModule(image_size=16)
    data.prepare_data()
    Path("images").mkdir()
    for number, image in enumerate(np.asarray(data.arrays["test"].images)):
        Image.fromarray(image[0]).save(f"images/{number:04d}.png")
    metrics = run_example("evaluate_folder.py", images="images")
    assert metrics["fid_digits"] == pytest.approx(0, abs=1e-3)


def test_custom_loop() -> None:
    run_example("custom_loop.py", iterations=2, batch_size=4, output="digits.safetensors")
    assert load_generator("digits.safetensors").widths == (0.25, 0.5, 0.75, 1.0)
