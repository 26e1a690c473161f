"""Results are checked once, answer by metric and width, and keep what is on disk."""

import json
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import EvaluationResults
from slimgan_pl.evaluation.results import Row, read_results

ROOT = Path(__file__).parents[2]
OLD = ROOT / "docs" / "results" / "digits.json"  # of version 0.1.0


@pytest.fixture
def results() -> EvaluationResults:
    return read_results(OLD)


def test_a_file_of_an_earlier_version_loads_and_keeps_its_values(results: EvaluationResults) -> None:
    written = json.loads(OLD.read_text())
    written["extractor"]["class"] = "slimgan_pl.evaluation.DigitsClassifier"
    assert results.to_json() == written
    assert EvaluationResults.from_json(results.to_json()) == results


def test_a_metric_is_found_by_its_name_and_width(results: EvaluationResults) -> None:
    written = json.loads(OLD.read_text())
    assert results.value("fid", 0.25) == written["widths"][0]["fid_digits"]
    assert results.value("fid", 0.3) is None
    assert results.between["mic"] == written["mic_digits"]
    assert results.real["is"] == written["real"]["is_digits"]
    assert results.consistency == written["consistency_digits"]


@pytest.mark.parametrize(
    ("metric", "label", "with_extractor"),
    [
        ("fid", "FID (digits)", "FID (digits)"),
        ("precision", "Precision", "Precision (digits)"),
        ("mic", "mIC (digits)", "mIC (digits)"),
        ("agreement", "Same class from a latent", "Same class from a latent (digits)"),
    ],
)
def test_a_label_names_another_extractor(
    metric: str, label: str, with_extractor: str, results: EvaluationResults
) -> None:
    assert results.label(metric) == label
    assert results.label(metric, names_extractor=True) == with_extractor
    inception = EvaluationResults.from_json({**results.to_json(), "extractor": {"name": "inception"}})
    assert inception.label(metric, names_extractor=True) == label.removesuffix(" (digits)")


def test_provenance_is_all_that_is_no_metric(results: EvaluationResults) -> None:
    expected = {"recalibration", "protocol", "extractor", "device", "processes", "versions", "seconds", "checkpoint"}
    assert results.provenance.keys() == expected


def test_a_folder_of_images_is_one_row_without_a_width(results: EvaluationResults) -> None:
    document = {**results.to_json(), "iteration": None, "images": "x", "widths": [{"width": None, "fid_digits": 3.0}]}
    images = EvaluationResults.from_json(document)
    assert images.rows == (Row(None, {"fid": 3.0}, {}),)
    assert images.rows[0].name == "images"
    assert images.value("fid", None) == 3.0


@pytest.mark.parametrize(
    ("changes", "is_comparable"),
    [({"iteration": 3}, True), ({"protocol": {}}, False), ({"classifier": {"name": "x"}}, False)],
)
def test_results_compare_by_one_protocol_and_extractor(
    changes: dict[str, Any], is_comparable: bool, results: EvaluationResults
) -> None:
    assert results.is_comparable(EvaluationResults.from_json({**results.to_json(), **changes})) == is_comparable


def test_an_old_class_path_is_the_same_extractor(results: EvaluationResults) -> None:
    assert results.is_comparable(EvaluationResults.from_json(json.loads(OLD.read_text())))
    assert results.provenance["extractor"]["class"] == "slimgan_pl.evaluation.DigitsClassifier"


@pytest.mark.parametrize("odd", [[], {}, {"extractor": None, "protocol": {}, "iteration": 1, "widths": []}])
def test_what_is_not_results_is_refused_by_the_name_of_its_file(odd: object) -> None:
    with pytest.raises(SlimGANError, match=r"^x\.json does not hold results"):
        EvaluationResults.from_json(odd, "x.json")


def test_old_names_still_work_with_a_warning() -> None:
    from slimgan_pl.evaluation import results as module

    with pytest.warns(DeprecationWarning, match=r"EvaluationResults\.key"):
        assert module.key_of("fid", {"extractor": {"name": "digits"}}) == "fid_digits"  # type: ignore[operator]
    with pytest.warns(DeprecationWarning, match=r"EvaluationResults\.extractor_of"):
        assert module.judge_of("fid", {"extractor": {"name": "digits"}}) == "digits"  # type: ignore[operator]
