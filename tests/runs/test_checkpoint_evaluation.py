"""A checkpoint's evaluation is its own, or none."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from slimgan_pl.evaluation import EvaluationResults
from slimgan_pl.export.card_markdown import make_markdown
from slimgan_pl.export.exported_file import ExportedFile
from slimgan_pl.export.model_card import make_card
from slimgan_pl.runs.checkpoint_evaluation import find_evaluation
from slimgan_pl.runs.checkpoints import read_source
from slimgan_pl.utils.files import file_sha256

FILE = ExportedFile("generator.onnx", "onnx", "float32", (1.0,), True, 1, "c" * 64)


@pytest.fixture
def run(two_runs: Path, tmp_path: Path) -> Path:
    """Return a copy of a tiny run of 4 iterations."""
    return Path(shutil.copytree(two_runs / "digits" / "version_0", tmp_path / "version_0"))


def results_of(path: Path, **changes: Any) -> dict[str, Any]:
    """Write changed results back and return them."""
    results = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps(results))
    return results


def provenance_of(found: EvaluationResults | None) -> Mapping[str, Any]:
    assert found is not None
    return found.provenance


def widths_of(found: EvaluationResults | None) -> Any:
    assert found is not None
    return found.to_json()["widths"]


def copy_of(path: Path, name: str, **changes: Any) -> Path:
    """Write a checkpoint with other bytes beside one."""
    content = {**torch.load(path, weights_only=True), "note": name, **changes}
    torch.save(content, path.with_name(name))
    return path.with_name(name)


def test_a_checkpoints_metrics_are_those_of_its_run(run: Path) -> None:
    path = run / "checkpoints" / "last.ckpt"
    found = find_evaluation(read_source(path))
    assert found is not None
    written = json.loads((run / "results.json").read_text())
    assert written["checkpoint"]["sha256"] == file_sha256(path)
    assert found.iteration == 4
    assert found.to_json()["widths"] == written["widths"]


def without_checksums(run: Path) -> None:
    """Make results those of a version that recorded no checksums."""
    for path in (run / "results.json", *run.glob("results/*.json"), *run.glob("checkpoints/*.json")):
        results_of(path, checkpoint=None)


def test_other_weights_of_the_same_iteration_do_not_have_its_metrics(run: Path) -> None:
    last = run / "checkpoints" / "last.ckpt"
    other = copy_of(last, "last.recalibrated.ckpt")
    assert find_evaluation(read_source(other)) is None
    without_checksums(run)
    assert find_evaluation(read_source(other)) is None
    assert find_evaluation(read_source(last)) is not None


def test_a_checkpoint_in_the_place_of_another_does_not_have_its_metrics(two_runs: Path, run: Path) -> None:
    last = run / "checkpoints" / "last.ckpt"
    results_of(run / "results" / "iteration_000004.json", checkpoint=None)  # of a sweep all end at one iteration
    shutil.copy(two_runs / "none" / "version_0" / "checkpoints" / "last.ckpt", last)
    assert find_evaluation(read_source(last)) is None


def test_one_checksum_in_a_run_makes_it_needed(run: Path) -> None:
    last = run / "checkpoints" / "last.ckpt"
    shutil.copy(run / "results.json", last.with_name("last.recalibrated.test.json"))
    for path in (run / "results.json", *run.glob("results/*.json")):
        results_of(path, checkpoint=None)
    results_of(last.with_name("last.recalibrated.test.json"), checkpoint={"file": "x.ckpt", "sha256": "0" * 64})
    assert find_evaluation(read_source(last)) is None


def test_an_iteration_is_enough_only_where_no_checksums_are_and_is_told(run: Path) -> None:
    last = run / "checkpoints" / "last.ckpt"
    assert "not by a checksum" not in make_markdown(make_card(read_source(last), [FILE]))
    assert provenance_of(find_evaluation(read_source(last)))["matched_by"] == "sha256"
    without_checksums(run)
    assert provenance_of(find_evaluation(read_source(last)))["matched_by"] == "iteration"
    assert "matched by its iteration, not by a checksum" in make_markdown(make_card(read_source(last), [FILE]))


def test_beside_a_checkpoint_that_lies_in_no_run_a_checksum_is_needed(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "nets" / "last.ckpt"
    alone.parent.mkdir()
    shutil.copy(run / "checkpoints" / "last.ckpt", alone)
    for path in (alone.with_suffix(".test.json"), tmp_path / "results.json"):
        shutil.copy(run / "results.json", path)
        assert find_evaluation(read_source(alone)) is not None
        results_of(path, checkpoint=None)
        assert find_evaluation(read_source(alone)) is None


def test_metrics_of_another_iteration_are_not_taken(run: Path) -> None:
    later = copy_of(run / "checkpoints" / "last.ckpt", "iteration_000006.ckpt", global_step=6)
    without_checksums(run)
    assert find_evaluation(read_source(later)) is None
    results_of(run / "results.json", iteration=6)
    assert find_evaluation(read_source(later)) is not None


def test_an_evaluation_during_training_stands_for_the_checkpoint_of_its_iteration(run: Path) -> None:
    early = copy_of(run / "checkpoints" / "last.ckpt", "iteration_000002.ckpt", global_step=2)
    place = run / "results" / "iteration_000002.json"
    results_of(place, checkpoint=None)
    assert find_evaluation(read_source(early)) is None
    written = results_of(place, checkpoint={"file": early.name, "sha256": file_sha256(early)})
    assert widths_of(find_evaluation(read_source(early))) == written["widths"]
    without_checksums(run)
    assert widths_of(find_evaluation(read_source(early))) == written["widths"]


def test_the_newest_evaluation_of_a_checkpoint_counts(run: Path) -> None:
    last = run / "checkpoints" / "last.ckpt"
    beside = last.with_suffix(".test.json")
    shutil.copy(run / "results.json", beside)
    results_of(beside, device="newer")
    os.utime(run / "results.json", (1, 1))
    assert provenance_of(find_evaluation(read_source(last)))["device"] == "newer"
    os.utime(beside, (0, 0))
    assert provenance_of(find_evaluation(read_source(last)))["device"] == "cpu"


def test_a_checksum_counts_for_more_than_a_date(run: Path) -> None:
    last = run / "checkpoints" / "last.ckpt"
    beside = last.with_suffix(".test.json")
    shutil.copy(run / "results.json", beside)
    results_of(beside, device="newer", checkpoint=None)
    assert provenance_of(find_evaluation(read_source(last)))["device"] == "cpu"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"widths": 3}'])
def test_what_is_damaged_counts_as_not_there(content: str, run: Path) -> None:
    for path in (run / "results.json", *run.glob("results/*.json")):
        path.write_text(content)
    assert find_evaluation(read_source(run / "checkpoints" / "last.ckpt")) is None


def test_a_checkpoint_without_a_run_has_no_metrics(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "elsewhere" / "net.ckpt"
    alone.parent.mkdir()
    shutil.copy(run / "checkpoints" / "last.ckpt", alone)
    assert find_evaluation(read_source(alone)) is None
