"""A monitored metric is the mean over the widths or one width's, and knows what is better."""

import math

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import EvaluationResults
from slimgan_pl.evaluation.monitored_metric import MonitoredMetric

RESULTS = EvaluationResults.from_json(
    {
        "iteration": 3,
        "protocol": {},
        "extractor": {"name": "digits"},
        "mic_digits": 0.25,
        "widths": [
            {"width": 0.5, "fid_digits": 8.0, "is_digits": 3.0},
            {"width": 1.0, "fid_digits": 4.0, "is_digits": math.nan},
        ],
    }
)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("fid", 6.0, "FID (digits) 6 (mean over the widths)"),
        ("fid_digits", 6.0, "FID (digits) 6 (mean over the widths)"),
        ("fid_digits/0.5", 8.0, "FID (digits) 8 (width 0.5)"),
        ("fid/1.0", 4.0, "FID (digits) 4 (width 1)"),
        ("is", math.nan, "IS (digits) nan (mean over the widths)"),
        ("fid/0.3", math.nan, "FID (digits) nan (width 0.3)"),
        ("kid", math.nan, "KID (digits) nan (mean over the widths)"),
        ("mic", 0.25, "mIC (digits) 0.25"),
    ],
)
def test_a_name_finds_the_value_whatever_the_extractor(name: str, value: float, text: str) -> None:
    metric = MonitoredMetric.named(name)
    assert metric.value(RESULTS) == pytest.approx(value, nan_ok=True)
    assert metric.describe(RESULTS) == text


@pytest.mark.parametrize("name", ["generator_loss", "", "fi", "fid/all", "mic/0.5", "/0.5"])
def test_other_names_are_no_metrics(name: str) -> None:
    with pytest.raises(SlimGANError, match="is no metric of images"):
        MonitoredMetric.named(name)


@pytest.mark.parametrize(("name", "sign"), [("fid", 1), ("is", -1)])
def test_only_finite_values_that_differ_are_better(name: str, sign: int) -> None:
    metric = MonitoredMetric.named(name)
    assert metric.is_better(sign * 2.0, sign * 3.0)
    assert metric.is_better(sign * 2.0, math.nan)
    worse = [(3.0, 2.0), (2.0, 2.0), (-math.inf, 2.0), (math.nan, 2.0), (math.nan, math.nan)]
    assert not any(metric.is_better(sign * value, sign * other) for value, other in worse)
