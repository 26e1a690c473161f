"""Results of several runs in one table."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.cli import main as cli


def write_results(folder: Path, fids: dict[float, float], **more: Any) -> None:
    folder.mkdir(parents=True)
    rows = [{"width": width, "fid": fid, "is": 10 - fid} for width, fid in fids.items()]
    results = {
        "extractor": {"name": "inception", "weights_sha256": "0"},
        "iteration": 500,
        "individual": None,
        "protocol": {"data": "x", "num_real": 9, "num_fake": 9, "num_score": 9, "splits": 1},
    }
    cost = {"iterations": 500, "device_seconds": 3600.0, "macs": 2_000_000}
    (folder / "results.json").write_text(json.dumps({**results, "widths": rows, "training": cost, **more}))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a slimmable run and two individual ones, in the working directory."""
    monkeypatch.chdir(tmp_path)
    write_results(tmp_path / "slim", {0.5: 4.0, 1.0: 2.5})
    write_results(tmp_path / "half" / "version_0", {0.5: 9.0}, individual=0.5)
    write_results(tmp_path / "half" / "version_10", {0.5: 3.0}, individual=0.5)
    write_results(tmp_path / "whole", {1.0: 3.5}, individual=1.0)
    return ["slim", "half", "whole/results.json"]


def test_markdown_marks_the_best_of_each_width_and_adds_up_the_costs(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["compare", *runs, "--format", "markdown"])
    assert capsys.readouterr().out.splitlines() == [
        "| run | 0.5 | 1 | iterations | training | MACs |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| slim | 4 | **2.5** | 500 | 1.00 h | 2e+06 |",
        "| half | **3** |  | 500 | 1.00 h | 2e+06 |",
        "| whole/results.json |  | 3.5 | 500 | 1.00 h | 2e+06 |",
        "| sum, slimmable |  |  |  | 1.00 h | 2e+06 |",
        "| sum, individual |  |  |  | 2.00 h | 4e+06 |",
        "| sum |  |  |  | 3.00 h | 6e+06 |",
    ]


def test_the_table_holds_the_same_and_a_score_is_better_when_it_is_higher(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["compare", *runs, "--metric", "is"])
    lines = capsys.readouterr().out.splitlines()
    assert any("6" in line and "7.5 *" in line for line in lines if "slim" in line)
    assert any("7 *" in line for line in lines if "half" in line)
    assert any("3.00 h" in line for line in lines)


def test_csv_holds_plain_numbers(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["compare", *runs, "--format", "csv", "--output", "table.csv"])
    rows = list(csv.DictReader(Path("table.csv").read_text().splitlines()))
    assert [row["run"] for row in rows] == [*runs, "sum, slimmable", "sum, individual", "sum"]
    assert float(rows[0]["0.5"]) == 4.0
    assert rows[2]["0.5"] == ""
    assert float(rows[-1]["device_seconds"]) == 3 * 3600
    assert "3 runs in table.csv" in capsys.readouterr().out


def test_a_run_that_does_not_know_its_cost_leaves_the_sum_open(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_results(Path("imported"), {0.5: 5.0}, training=None)
    cli.main(["compare", "slim", "imported", "--format", "markdown"])
    assert capsys.readouterr().out.splitlines()[-1] == "| sum |  |  |  | ? | ? |"


def test_metrics_of_different_counts_are_pointed_out(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_results(
        Path("few"), {0.5: 5.0}, protocol={"data": "x", "num_real": 9, "num_fake": 3, "num_score": 9, "splits": 1}
    )
    cli.main(["compare", "slim", "few"])
    assert "the numbers of fakes differ (3, 9)" in capsys.readouterr().err


def test_metrics_of_other_images_or_weights_are_pointed_out(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_results(Path("other"), {0.5: 5.0}, protocol={}, extractor={"name": "inception", "weights_sha256": "1"})
    cli.main(["compare", "slim", "other"])
    (note,) = capsys.readouterr().err.splitlines()
    assert "the real images differ (None, x)" in note
    assert "the extractor's weights differ; such metrics do not compare" in note


def test_evaluated_images_stand_in_a_column_of_their_own(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_results(Path("theirs"), {}, widths=[{"width": None, "fid": 1.5}], iteration=None, training=None)
    cli.main(["compare", "slim", "theirs", "--format", "markdown"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| run | 0.5 | 1 | images |")
    assert lines[3].startswith("| theirs |  |  | **1.5** |")


@pytest.mark.parametrize(("metric", "best"), [("kid", 0.1), ("coverage", 0.7)])
def test_each_metric_knows_what_is_better(
    runs: list[str], capsys: pytest.CaptureFixture[str], metric: str, best: float
) -> None:
    for name, value in (("a", 0.1), ("b", 0.7)):
        write_results(Path(name), {}, widths=[{"width": 1.0, metric: value}])
    cli.main(["compare", "a", "b", "--metric", metric, "--format", "markdown"])
    assert f"**{best}**" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder: None, "there are no results at other/results.json"),
        (
            lambda folder: write_results(folder, {0.5: 1.0}, extractor={"name": "digits"}),
            "different extractors do not compare",
        ),
        (lambda folder: (folder.mkdir(), (folder / "results.json").write_text("{")), "does not hold results"),
        (lambda folder: (folder.mkdir(), (folder / "results.json").write_text("[]")), "does not hold results"),
        (lambda folder: (folder.mkdir(), (folder / "results.json").write_text("{}")), "does not hold results"),
        (lambda folder: write_results(folder, {0.5: 1.0}, iteration="x"), "does not hold results"),
        (lambda folder: write_results(folder, {0.5: 1.0}, widths=[1, 2]), "does not hold results"),
        (lambda folder: write_results(folder, {0.5: 1.0}, training=[1]), "does not hold results"),
    ],
)
def test_what_cannot_be_compared_is_named(
    prepare: Any, words: str, runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(Path("other"))
    if not Path("other").exists():
        Path("other").mkdir()
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["compare", "slim", "other"])
    assert exit_info.value.code == 1
    assert words in capsys.readouterr().err


def test_runs_are_found_by_relative_and_absolute_path_and_by_a_later_evaluation(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_results(Path("killed/version_old"), {0.5: 1.0})
    write_results(Path("killed/version_1/checkpoints"), {0.5: 8.0}, iteration=900)
    folder = Path("killed/version_1/checkpoints")
    (folder / "results.json").rename(folder / "last.test.json")
    cli.main(["compare", "slim", str(Path("killed").absolute()), "--format", "csv"])
    lines = capsys.readouterr().out.splitlines()
    assert "8.0" in lines[2]
    assert lines[2].endswith(",900,,"), "what was not counted from the first iteration is unknown"


def test_what_was_evaluated_last_is_compared(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_results(Path("slim/checkpoints"), {0.5: 1.5})
    later = Path("slim/checkpoints/results.json").rename("slim/checkpoints/last.test.json")
    os.utime(later, (2e9, 2e9))
    cli.main(["compare", "slim", "half", "--format", "csv"])
    assert "slim,1.5" in capsys.readouterr().out


def test_a_metric_that_is_not_finite_is_never_the_best(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_results(Path("nan"), {0.5: float("nan")})
    cli.main(["compare", "nan", "slim", "--format", "markdown"])
    assert "**4**" in capsys.readouterr().out


def test_metrics_that_do_not_compare_share_no_table(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    protocol = {"data": "y", "num_real": 9, "num_fake": 9, "num_score": 3, "splits": 1}
    for name, fid in (("other", 1.0), ("another", 2.0)):
        write_results(Path(name), {0.5: fid}, protocol=protocol)
    cli.main(["compare", "slim", "other", "half", "another", "--format", "markdown"])
    out = capsys.readouterr().out
    first, second = out.split("FID, data y:")
    assert first.startswith("FID, data x:\n\n| run |")
    assert "| slim | 4 |" in first
    assert "| half | **3** |" in first
    assert "| other | **1** |" in second
    assert "| another | 2 |" in second
    cli.main(["compare", "slim", "other", "--format", "csv"])
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["evaluation"] for row in rows[:2]] == ["FID, data x", "FID, data y"]


def test_what_a_metric_does_not_depend_on_parts_no_table(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_results(
        Path("other"), {0.5: 1.0}, protocol={"data": "x", "num_real": 9, "num_fake": 9, "num_score": 3, "splits": 2}
    )
    cli.main(["compare", "slim", "other", "--format", "markdown"])
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "**1**" in captured.out
    cli.main(["compare", "slim", "other", "--metric", "is"])
    assert "the numbers of fakes for the score differ (3, 9)" in capsys.readouterr().err


def test_metrics_of_different_nets_are_refused_in_one_sentence(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_results(Path("other"), {0.5: 1.0}, extractor={"name": "digits", "weights_sha256": "1"}, protocol={})
    with pytest.raises(SystemExit):
        cli.main(["compare", "slim", "other"])
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_long_name_is_whole_and_lines_fit_if_they_can(
    columns: int, runs: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    names = [f"a-run-with-a-name-that-says-all-that-it-was-trained-with-{seed}" for seed in (1, 2)]
    for name in names:
        write_results(Path(name), dict.fromkeys((0.25, 0.5, 0.75, 1.0), 12.345678))
    cli.main(["compare", *names])
    lines = capsys.readouterr().out.splitlines()
    for name in names:
        assert sum(name in line for line in lines) == 1
    assert columns < 80 or max(map(len, lines)) <= columns
    assert sum("12.35 *" in line for line in lines) == 2


def test_results_that_do_not_know_their_labels_compare_with_all(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = {"data": "x", "num_real": 9, "num_fake": 9, "num_score": 9, "splits": 1}
    for labels in ("data", "uniform"):
        write_results(Path(labels), {0.5: 5.0}, protocol={**protocol, "labels": labels})
    cli.main(["compare", "slim", "uniform"])
    assert capsys.readouterr().err == ""
    cli.main(["compare", "data", "uniform"])
    assert "the frequencies of the fakes' labels differ (data, uniform)" in capsys.readouterr().err


def test_a_table_replaces_a_table(runs: list[str]) -> None:
    write_results(Path("few"), {0.5: 5.0}, protocol={"data": "x", "num_real": 9, "num_fake": 3})
    for format, names in (("markdown", runs), ("csv", runs), ("markdown", ["slim", "few"]), ("markdown", runs)):
        cli.main(["compare", *names, "--format", format, "--output", "table"])
        assert "slim" in Path("table").read_text()
