"""The page of the schema names exactly the keys that results have."""

import json
import re
from pathlib import Path
from typing import Any

from evaluations import digits, generator, noise

from slimgan_pl.evaluation import EvaluationResults

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "results_schema.md").read_text(encoding="utf-8")

OF_IMAGES = {"images", "available"}

OVER_SEEDS = {"deviation", "per_seed"}


def keys_in(heading: str) -> set[str]:
    """Return the keys of the table under a heading, with the net that results of the digits' classifier name."""
    (text,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return {key.replace("<net>", "digits") for key in re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)}


def check_parts(results: dict[str, Any]) -> None:
    assert results["protocol"].keys() | {"labels"} == keys_in("`protocol`")  # which version 0.1.0 left out
    assert results["extractor"].keys() == keys_in("`extractor` and `classifier`")


def test_a_results_file_has_exactly_the_keys_of_the_page() -> None:
    for path in (ROOT / "docs" / "results").glob("*.json"):
        results = json.loads(path.read_text())
        known = keys_in("Top level") - OF_IMAGES - OVER_SEEDS
        assert results.keys() | {"weights", "has_average"} == known  # which version 0.1.0 left out
        assert all(row.keys() == keys_in("A row of `widths`") for row in results["widths"])
        assert results["training"].keys() == keys_in("`training`")
        assert results["checkpoint"].keys() == keys_in("`checkpoint`")
        assert results["real"].keys() == {"is_digits", "is_std_digits"}
        check_parts(results)


def test_an_evaluation_over_seeds_has_the_keys_of_the_page() -> None:
    results = digits(seeds=2).evaluate(generator(), noise(20))
    of_others = {"iteration", "individual", "weights", "has_average", "recalibration", "training", "checkpoint"}
    assert results.keys() == keys_in("Top level") - OF_IMAGES - of_others
    assert all(row.keys() == keys_in("A row of `widths`") for row in results["widths"])
    assert results["deviation"].keys() == {"widths", "mic_digits", "consistency_digits", "agreement_digits"}
    check_parts(results)


def test_the_example_loads() -> None:
    (example,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    results = EvaluationResults.from_json(json.loads(example))
    assert results.value("fid", 0.5) == 9.0
    assert set(json.loads(example)["protocol"]) == keys_in("`protocol`")
