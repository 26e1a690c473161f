"""What the benchmarks of quality count, on images whose answer is known."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from few_images import FewDigitsDataModule
from seeds import main as train_seeds
from stacked_digits import StackedDigitsSource, count_modes
from trainings import RECIPES, fit

from slimgan_pl.data import DigitsDataModule

TINY = (
    *("--trainer.max_steps", 2, "--trainer.default_root_dir", "run", "--samples.every_n_iterations", 0),
    *("--model.generator.channels", "[8, 8, 8]", "--model.evaluator.num_fake", 60),
)


def test_a_net_with_one_image_hits_one_mode_at_the_greatest_divergence() -> None:
    stacked = StackedDigitsSource(DigitsDataModule().source("train"), 1)
    modes = count_modes(torch.from_numpy(stacked.read(0)).repeat(20, 1, 1, 1))
    assert modes.hit == 1
    assert modes.divergence == pytest.approx(math.log(1000))


def test_modes_of_real_stacked_digits_are_those_of_their_labels() -> None:
    digits = DigitsDataModule().source("train")
    stacked = StackedDigitsSource(digits, 3000)
    assert digits.labels is not None
    labels = digits.labels[stacked.numbers] @ [100, 10, 1]
    modes = count_modes(torch.from_numpy(np.stack([stacked.read(number) for number in range(len(stacked))])))
    assert modes.hit == pytest.approx(len(set(labels.tolist())), abs=5)  # the classifier errs rarely


def test_few_digits_are_as_many_of_each_class() -> None:
    source = FewDigitsDataModule(200).source("train")
    assert source.labels is not None
    assert np.bincount(source.labels).tolist() == [20] * 10
    assert len({source.read(number).tobytes() for number in range(200)}) == 200


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_trains_and_is_timed(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = fit(RECIPES[recipe], *TINY)
    assert len(run.cpu_seconds) == 2
    assert min(run.cpu_seconds) > 0


@pytest.mark.slow
def test_a_run_that_diverges_counts_with_its_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train_seeds(seeds=1, learning_rates=[1e30], recipe=RECIPES["paper"], iterations=4, json="seeds.json")
    assert "is nan at iteration" in (tmp_path / "seeds.json").read_text()
