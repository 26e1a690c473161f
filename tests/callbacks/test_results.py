"""The table of widths."""

from typing import Any

import pytest
from rich.console import Console

from slimgan_pl.callbacks import results_table
from slimgan_pl.evaluation.metrics.registry import COLUMNS
from slimgan_pl.evaluation.results import EvaluationResults, Row
from slimgan_pl.evaluation.results_table import change

PROTOCOL = {
    "num_real": 10_000,
    "num_fake": 10_000,
    "num_score": 50_000,
    "splits": 10,
    "seeds": [0],
    "real_split": "test",
}

VALUES = {
    "fid": 123.456,
    "kid": 0.012345,
    "kid_std": 0.001,
    "precision": 0.5,
    "recall": 0.4,
    "density": 0.3,
    "coverage": 0.2,
    "is": 8.123,
    "is_std": 0.25,
}


def shown(
    capsys: pytest.CaptureFixture[str],
    name: str,
    values: dict[str, float],
    earlier: dict[str, Any] | None = None,
    **more: Any,
) -> list[str]:
    """Return the lines of a table for an extractor."""
    suffix = "" if name == "inception" else f"_{name}"
    named = {f"{key}{suffix}": value for key, value in values.items()}
    row = {"width": 0.25, "parameters": 13_262_147, "macs": 1_681_130_000, **named}
    real = {key: value for key, value in named.items() if key.startswith("is")}
    results = {"extractor": {"name": name}, "iteration": 100_000, "protocol": PROTOCOL, "widths": [row], "real": real}
    before = None if earlier is None else EvaluationResults.from_json({**results, **earlier})
    Console(width=80).print(results_table(EvaluationResults.from_json({**results, **more}), before))
    return capsys.readouterr().out.splitlines()


def test_all_metrics_of_a_width_fit_in_80_characters(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "inception", VALUES, mic=20.0, consistency=[], agreement=0.5)
    row = next(line for line in lines if "13.3 M" in line)
    assert row.split() == [
        "0.25",
        *["13.3", "M", "1.68", "G", "123.5", "0.0123", "8.123", "±0.25", "0.50", "0.40", "0.30", "0.20"],
    ]
    text = " ".join(" ".join(lines).split())
    assert "10,000 fakes per width against 10,000 test images, score on 50,000" in text
    assert "± over 10 splits" in text
    assert "mIC 20 ↓, same class from a latent 50.0% ↑" in text


def test_metrics_of_another_extractor_carry_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert sum(line.count("(digits)") for line in shown(capsys, "digits", VALUES)) == 3
    assert not any("(inception)" in line for line in shown(capsys, "inception", VALUES))


def test_without_a_score_there_is_no_empty_column(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "inception", {"fid": 12.0})
    assert not any("IS" in line for line in lines)


def test_over_seeds_the_deviation_is_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(
        *(capsys, "inception", VALUES),
        protocol={**PROTOCOL, "seeds": [0, 1, 2]},
        deviation={"widths": [{"fid": 1.5, "kid": 0.002, "is": 0.125}]},
    )
    text = "\n".join(lines)
    assert "123.5 ±1.5" in text
    assert "8.123 ±0.12" in text
    assert "over 3 seeds" in text


def test_a_folder_of_images_has_no_width(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "inception", {}, images="theirs", iteration=None, widths=[{"width": None, "fid": 3.0}])
    assert "theirs: 10,000 images against 10,000 test images" in " ".join(" ".join(lines).split())
    assert any(line.split() == ["images", "3"] for line in lines)


def test_below_each_width_is_its_change_since_the_evaluation_before(capsys: pytest.CaptureFixture[str]) -> None:
    before = {**VALUES, "fid": 125.456, "precision": 0.25, "is": 7.5}
    row = {"width": 0.25, "parameters": 13_262_147, "macs": 1_681_130_000}
    earlier = {"iteration": 90_000, "widths": [{**row, **before}], "mic": 22.0}
    lines = shown(capsys, "inception", VALUES, earlier=earlier, mic=20.0, consistency=[])
    number = next(number for number, line in enumerate(lines) if "13.3 M" in line)
    assert lines[number + 1].split() == ["-2", "+0", "+0.62", "+0.25", "+0.00", "+0.00", "+0.00"]
    assert all(len(line) <= 80 for line in lines)
    assert "+ and -: change since iteration 90000, of mIC -2" in "\n".join(lines)


@pytest.mark.parametrize(("fid", "precision", "styles"), [(125.0, 0.25, ["green"] * 2), (120.0, 0.75, ["red"] * 2)])
def test_a_change_is_green_where_it_is_better(fid: float, precision: float, styles: list[str]) -> None:
    now, before = Row(1.0, VALUES, {}), Row(1.0, {"fid": fid, "precision": precision}, {})
    changes = [change(column, now, before) for column in COLUMNS[:4:3]]
    assert [text.style for text in changes] == styles


@pytest.mark.parametrize(
    ("counts", "metrics", "line"),
    [
        ((450, 2_000), ("fid", "kid"), "few images: a low FID is mostly bias, KID has none"),
        ((50_000, 4_999), ("fid",), "few images: a low FID is mostly bias"),
        ((5_000, 10_000), ("fid",), "unlike numbers of images: FID compares at these numbers alone"),
        ((10_000, 10_000), ("fid",), None),
        ((8_000, 10_000), ("fid",), None),
        ((450, 450), ("kid",), None),
    ],
)
def test_the_table_says_once_where_the_distance_is_biased(
    counts: tuple[int, int], metrics: tuple[str, ...], line: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = {**PROTOCOL, "num_real": counts[0], "num_fake": counts[1]}
    lines = shown(capsys, "inception", {name: VALUES[name] for name in metrics}, protocol=protocol)
    text = " ".join(" ".join(lines).split())
    assert ("images: " in text.partition("test images")[2]) == (line is not None)
    assert line is None or line in text


@pytest.mark.parametrize(
    ("weights", "line"),
    [
        ({"weights": "averaged", "has_average": True}, "of averaged weights; --weights raw evaluates the others"),
        (
            {"weights": "raw", "has_average": True},
            "of raw weights; without --weights raw the averaged ones are evaluated",
        ),
        ({"weights": "raw", "has_average": False}, None),
        ({"weights": "raw"}, None),
        ({}, None),
    ],
)
def test_the_table_names_the_weights_where_there_are_two(
    weights: dict[str, Any], line: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(" ".join(shown(capsys, "inception", {"kid": 0.01}, **weights)).split())
    assert ("weights" in text) == (line is not None)
    assert line is None or line in text
