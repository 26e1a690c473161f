"""Reading what a run has left."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import EvaluationResults, Row
from slimgan_pl.report.reading import find_run, read_run

RESULTS = {
    "extractor": {"name": "inception", "weights_sha256": "0"},
    "iteration": 500,
    "individual": None,
    "protocol": {"data": "x"},
    "widths": [{"width": 0.5, "fid": 4.0}, {"width": 1.0, "fid": 2.5}],
}


@pytest.fixture
def run(two_runs: Path, tmp_path: Path) -> Path:
    """Return a copy of a tiny run."""
    return Path(shutil.copytree(two_runs / "digits" / "version_0", tmp_path / "version_0"))


def test_a_whole_run_has_nothing_to_note(run: Path) -> None:
    found = read_run(run, "x")
    assert found.notes == []
    assert [results.iteration for results in found.history] == [2, 4]
    assert found.results == found.history[-1]
    assert found.iteration == 4
    assert found.metrics[0]["step"] == 1
    assert found.settings["model"]["distill_weight"] == 7


@pytest.mark.parametrize(
    ("remove", "words"),
    [
        (("checkpoints",), "There is no checkpoint"),
        (("metrics.csv",), "There is no metrics.csv"),
        (("config.yaml",), "There is no config.yaml"),
        (("results.json",), "the metrics are those of its last evaluation"),
        (("results.json", "results"), "No metrics: there are no results at"),
    ],
)
def test_what_is_missing_is_noted(remove: tuple[str, ...], words: str, run: Path) -> None:
    for name in remove:
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (note,) = read_run(run, "x").notes
    assert words in note


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("metrics.csv", b"\xff\xfe", "is not a table of metrics"),
        ("results/iteration_000002.json", b"{", "An evaluation is left out"),
        ("results/iteration_000002.json", b"[]", "An evaluation is left out"),
        ("config.yaml", b"[1]", "holds no settings"),
        ("metrics.csv", b"step,fid/1\n1,2\n", "There are no losses in metrics.csv"),
    ],
)
def test_what_is_broken_is_noted(name: str, content: bytes, words: str, run: Path) -> None:
    (run / name).write_bytes(content)
    (note,) = read_run(run, "x").notes
    assert words in note


def test_a_run_without_its_last_results_shows_its_last_evaluation(run: Path) -> None:
    (run / "results.json").unlink()
    (run / "results" / "iteration_000004.json").unlink(missing_ok=True)
    found = read_run(run, "x")
    assert found.results is not None
    assert found.results.iteration == 2


def test_a_resumed_run_shows_its_newest_metrics_and_names_the_iteration_of_its_pictures(run: Path) -> None:
    """Its ``results.json`` is of the time when it was to be shorter."""
    (run / "results" / "iteration_000004.json").unlink(missing_ok=True)
    final = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**final, "iteration": 1}))
    found = read_run(run, "x")
    assert found.results is not None
    assert found.results.iteration == 2
    assert found.iteration == 4, "that of the checkpoint"
    first, second = found.notes
    assert "It was not evaluated at its end" in first
    assert second == "The metrics are of iteration 2, the pictures of iteration 4."


def test_results_without_widths_are_no_metrics(run: Path) -> None:
    shutil.rmtree(run / "results")
    final = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**final, "widths": []}))
    found = read_run(run, "x")
    assert found.results is None
    assert found.notes == ["No metrics: the results have no widths."]


def test_cells_that_are_no_numbers_are_left_out(run: Path) -> None:
    (run / "metrics.csv").write_text("step,x/1,y\n1,nan,word\nword,1,1\n2,,3\n")
    first, second = read_run(run, "x").metrics  # a row without an iteration goes
    assert set(first) == {"step", "x/1"}
    assert second == {"step": 2.0, "y": 3.0}


def make(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("step\n")
    return path


def test_the_newest_version_in_a_folder_is_taken_that_holds_a_run(tmp_path: Path) -> None:
    make(tmp_path / "version_2" / "metrics.csv")
    make(tmp_path / "version_10" / "metrics.csv")
    (tmp_path / "version_11").mkdir()
    assert find_run(str(tmp_path)) == tmp_path / "version_10"
    assert find_run(str(tmp_path / "version_2")) == tmp_path / "version_2"


def nothing(folder: Path) -> None:
    pass


def a_file(folder: Path) -> None:
    os.rmdir(folder)
    folder.write_text("")


@pytest.mark.parametrize(("prepare", "words"), [(nothing, "nothing of a run"), (a_file, "there is no folder")])
def test_a_folder_without_a_run_is_named(prepare: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    prepare(folder)
    with pytest.raises(SlimGANError, match=words):
        find_run(str(folder))


def test_what_is_no_number_is_left_out_of_results() -> None:
    odd = {
        "widths": [{"width": 0.5, "fid": None, "kid": "1"}, {"width": None, "fid": 3.0}],
        "mic": "x",
        "real": [1],
        "deviation": {"widths": [3]},
        "protocol": {"seeds": 3},
    }
    results = EvaluationResults.from_json(json.loads(json.dumps({**RESULTS, **odd})))
    assert results.rows == (Row(0.5, {}, {}),)
    assert results.between == {}
    assert results.real == {}
    assert (results.protocol["seeds"], results.protocol["splits"]) == ([0], 1)


@pytest.mark.parametrize("matrix", [None, [[0.0]], [[0.0, 1.0], [1.0]], [[0.0, float("nan")], [1.0, 0.0]], [1, 2]])
def test_distances_that_are_not_whole_are_not_shown(matrix: object) -> None:
    assert EvaluationResults.from_json({**RESULTS, "consistency": matrix}).consistency is None
    whole = [[0.0, 2.0], [2.0, 0.0]]
    assert EvaluationResults.from_json({**RESULTS, "consistency": whole}).consistency == whole


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 10**301, "1", None, True])
def test_a_size_that_cannot_be_shown_is_left_out(odd: object) -> None:
    row = {"width": 0.5, "fid": 4.0, "macs": odd, "parameters": odd}
    document = {**RESULTS, "widths": [row, {"width": odd, "fid": 1.0}], "training": {"iterations": odd}}
    results = EvaluationResults.from_json(document)
    assert results.rows == (Row(0.5, {"fid": 4.0}, {}),)
    assert results.training == {}


@pytest.mark.parametrize("odd", [10**400, "x", [1]])
def test_results_with_what_can_be_no_number_are_refused(odd: object) -> None:
    with pytest.raises(SlimGANError, match="does not hold results"):
        EvaluationResults.from_json({**RESULTS, "widths": [{"width": 0.5, "macs": odd}]})


def test_a_width_that_comes_twice_is_there_once() -> None:
    rows = [{"width": 0.5}, {"width": 0.5, "fid": 1.0}]
    assert EvaluationResults.from_json({**RESULTS, "widths": rows}).rows == (Row(0.5, {"fid": 1.0}, {}),)
