"""Two processes say each line once, and end with one status."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import TINY
from PIL import Image

FOLDER = "\ndata:\n  class_path: slimgan_pl.data.ImageFolderDataModule\n  init_args: {batch_size: 4, root: images, "
FOLDER += "image_size: 16, image_channels: 1, cache_dir: cache}\n"


def make_images(folder: Path, names: range) -> None:
    """Write random grey images of 16x16."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        pixels = np.random.default_rng(name).integers(256, size=(16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")


def fit(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Train on two processes, which Lightning starts."""
    command = [sys.executable, "-m", "slimgan_pl", "fit", "--config", "tiny.yaml", *args]
    command += ["--trainer.devices", "2", "--trainer.strategy", "ddp"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)


@pytest.mark.slow
def test_lines_of_data_plan_change_and_end_come_once(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY.partition("\ndata:")[0] + FOLDER)
    make_images(tmp_path / "images" / "train", range(32))
    make_images(tmp_path / "images" / "test", range(100, 120))
    first = fit(tmp_path, "--checkpoint.monitor", "fid", "--trainer.val_check_interval", "2")
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("\nBest: iteration ") == 1
    make_images(tmp_path / "images" / "train", range(32, 37))
    second = fit(tmp_path, "--ckpt_path", "last", "--trainer.max_steps", "5")
    assert second.returncode == 0, second.stderr
    starts = ("Data: ", "Nets: ", "Plan: ", "Run: ", "Checkpoint: ", "Results: ", "Picture: ", "Next:")
    for run, said, plan in (
        (first, "Data: 32 training and 20 test images", "3 iterations of 4 images on each of 2 processes"),
        (second, "Data: 37 training and 20 test images", "iterations 4 to 5 of 4 images on each of 2 processes"),
    ):
        lines = run.stdout.splitlines()
        assert [sum(line.startswith(start) for line in lines) for start in starts] == [1] * len(starts)
        assert said in run.stdout
        assert plan in run.stdout
    change = "Changed since the checkpoint: data: 5 training images added"
    assert [run.stdout.count(change) for run in (first, second)] == [0, 1]


@pytest.mark.slow
def test_a_mistake_before_training_is_one_sentence_and_a_status(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY.partition("\ndata:")[0] + FOLDER)
    make_images(tmp_path / "images" / "train", range(7))
    make_images(tmp_path / "images" / "test", range(100, 120))
    done = fit(tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("slimgan: error: there are 7 training images, but one iteration takes 4 on each of 2") == 1
    assert "Traceback" not in done.stderr
