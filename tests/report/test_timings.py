"""How long a width takes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.report.timings import measure_here, read_profile
from slimgan_pl.training.slimgan import SlimGAN

TIMES = [{"batch_size": 8, "median_s": 0.5}, {"batch_size": 1, "median_s": 0.25}]
PROFILE = {"device": "cpu", "processor": "abacus", "threads": 2, "widths": [{"width": 0.5, "latency": TIMES}]}


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_every_width_takes_some_time(make_model: Callable[..., SlimGAN]) -> None:
    generator = make_model().generator
    latency = measure_here(generator)
    assert tuple(latency.seconds) == generator.widths
    assert all(seconds > 0 for seconds in latency.seconds.values())
    assert latency.is_rough


def test_measuring_leaves_the_generator_as_it_was(make_model: Callable[..., SlimGAN]) -> None:
    generator = make_model().generator.train()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    measure_here(generator)
    assert generator.training
    assert all(value.equal(before[name]) for name, value in generator.state_dict().items())


def test_the_smallest_batch_of_a_profile_is_taken(tmp_path: Path) -> None:
    latency = read_profile(write(tmp_path / "profile.json", PROFILE))
    assert latency is not None
    assert latency.seconds == {0.5: 0.25}
    assert latency.how == "slimgan profile, batch of 1, abacus, 2 threads, median"
    assert not latency.is_rough


def test_without_a_profile_there_is_none(tmp_path: Path) -> None:
    assert read_profile(tmp_path / "profile.json") is None


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"widths": []},
        {"widths": [{"width": 1.0, "latency": []}]},
        {"widths": [{"width": 1.0, "latency": [{"batch_size": 1, "median_s": float("nan")}]}]},
        {"widths": [{"width": 1.0, "latency": [{"batch_size": 1, "median_s": 0}]}]},
    ],
)
def test_what_is_no_profile_is_said(content: Any, tmp_path: Path) -> None:
    with pytest.raises(SlimGANError, match="does not hold what slimgan profile measures"):
        read_profile(write(tmp_path / "profile.json", content))
