"""Protocols by name."""

import numpy as np
import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import PROTOCOLS
from slimgan_pl.evaluation.protocols import choose, make_protocol


def test_the_papers_protocol_is_the_papers() -> None:
    assert PROTOCOLS["paper"].real_split == "test"
    assert PROTOCOLS["paper"].counts(10_000) == (10_000, 10_000, 50_000)
    assert PROTOCOLS["paper"].splits == 10


def test_the_common_protocol_evaluates_50000_fakes_against_all_training_images() -> None:
    assert PROTOCOLS["common"].real_split == "train"
    assert PROTOCOLS["common"].counts(60_000) == (60_000, 50_000, 50_000)


def test_more_real_images_than_exist_are_refused_with_their_number() -> None:
    with pytest.raises(SlimGANError, match=r"asks for 10,000 real images, but the test split holds 450"):
        PROTOCOLS["paper"].counts(450)


def test_more_fakes_than_exist_are_refused_with_their_number() -> None:
    with pytest.raises(SlimGANError, match=r"asks for 50,000 fakes, but there are 10,000"):
        PROTOCOLS["paper"].counts(10_000, fakes=10_000)
    assert PROTOCOLS["paper"].counts(10_000, fakes=10_000, scored=False) == (10_000, 10_000, 10_000)


def test_without_a_number_all_fakes_that_exist_are_evaluated() -> None:
    assert PROTOCOLS["test"].counts(300, fakes=20) == (300, 20, 20)


@pytest.mark.parametrize("numbers", [{"num_real": 1}, {"num_score": 0}, {"splits": 0}, {"num_fake": -3}])
def test_a_number_that_is_too_small_is_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(SlimGANError, match=next(iter(numbers))):
        make_protocol("paper", **numbers)  # type: ignore[arg-type]


def test_fewer_fakes_than_splits_are_refused() -> None:
    with pytest.raises(SlimGANError, match="5 fakes cannot be parted into 10 splits"):
        make_protocol("test", num_fake=5).counts(450)


def test_numbers_take_the_place_of_a_protocols_own_and_of_its_name() -> None:
    assert make_protocol("paper").name == "paper"
    changed = make_protocol("paper", num_real=8_000, num_fake=8_000)
    assert changed.name == "custom"
    assert changed.counts(8_000) == (8_000, 8_000, 50_000)


def test_a_choice_of_images_is_fixed_spread_out_and_without_repetition() -> None:
    chosen = choose(1000, 100)
    assert np.array_equal(chosen, choose(1000, 100))
    assert len(set(chosen.tolist())) == 100
    assert 400 < chosen.mean() < 600
    assert np.array_equal(choose(7, 7), np.arange(7))
