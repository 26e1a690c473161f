"""``slimgan walk`` shows what ``slimgan sample`` generates, in motion."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import run
from PIL import Image

from slimgan_pl.runs.checkpoint_reader import load_generator


def frames(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path), dtype=float) for path in sorted(folder.iterdir())])


def test_the_walk_goes_from_sample_to_sample_and_closes(digits_checkpoint: Path, tmp_path: Path) -> None:
    to = ("--ckpt_path", digits_checkpoint, "--seed", 3, "--width", 0.5)
    run("walk", *to, "--latents", 4, "--frames", 20, "--output", tmp_path / "walk")
    run("sample", *to, "--num_images", 4, "--output", tmp_path / "samples")
    moving, stills = frames(tmp_path / "walk"), frames(tmp_path / "samples")
    assert moving.shape == (20, 64, 64), "small images are enlarged"
    assert np.abs(moving[::5, ::4, ::4] - stills).max() <= 1
    steps = np.abs(moving - np.roll(moving, -1, axis=0)).mean(axis=(1, 2))  # the last leads to the first frame
    assert steps.max() < np.abs(stills - np.roll(stills, -1, axis=0)).mean(axis=(1, 2)).min()


def test_all_widths_stand_side_by_side(digits_checkpoint: Path, tmp_path: Path) -> None:
    to = ("--ckpt_path", digits_checkpoint, "--latents", 2, "--frames", 4)
    run("walk", *to, "--width", "all", "--output", tmp_path / "all")
    picture = frames(tmp_path / "all")[1]
    for column, width in enumerate(load_generator(digits_checkpoint).widths):
        run("walk", *to, "--width", width, "--output", tmp_path / f"column {column}")
        left = 1 + column * 65
        assert np.abs(picture[1:65, left : left + 64] - frames(tmp_path / f"column {column}")[1]).max() <= 1


def test_classes_have_a_row_each_unless_one_is_named(config: Path, tmp_path: Path) -> None:
    conditional = ("--model.generator.num_classes", 10, "--model.discriminators.num_classes", 10)
    run("fit", "--config", config, *conditional, "--trainer.max_steps", 1, "--model.evaluator", "null")
    to = ("--ckpt_path", "runs/version_0/checkpoints/last.ckpt", "--latents", 2, "--frames", 3)
    run("walk", *to, "--output", "rows")
    run("walk", *to, "--label", 7, "--output", "seven")
    rows, seven = frames(Path("rows")), frames(Path("seven"))
    assert rows.shape[1] == 1 + 10 * 65
    errors = [np.abs(rows[:, 1 + 65 * row : 65 * (row + 1), -65:-1] - seven).mean() for row in range(10)]
    assert int(np.argmin(errors)) == 7


def test_an_animation_is_named_with_its_frames(
    digits_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("walk", "--ckpt_path", digits_checkpoint, "--frames", 8, "--fps", 10, "--output", tmp_path / "a.gif")
    assert capsys.readouterr().out == f"8 frames at width 1.0 in {tmp_path / 'a.gif'}\n"
    with Image.open(tmp_path / "a.gif") as image:
        info: Any = image
        assert (info.n_frames, info.info["duration"], info.info["loop"]) == (8, 100, 0)


@pytest.mark.parametrize(("name", "is_noted"), [("a.gif", True), ("a.webp", True), ("a.apng", True), ("a.png", False)])
def test_a_still_in_a_format_of_animations_is_called_one(
    name: str, is_noted: bool, digits_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("sample", "--ckpt_path", digits_checkpoint, "--num_images", 1, "--output", tmp_path / name)
    note = f"NOTE: {tmp_path / name} is a still; slimgan walk writes animations\n"
    assert (note in capsys.readouterr().out) == is_noted
