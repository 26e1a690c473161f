"""What Weights & Biases and TensorBoard hold of a run is what the run has computed, width by width."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import wandb
from commands import TINY, fails, run
from PIL import Image, ImageChops
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout

from slimgan_pl.runs.loggers import make_loggers, run_id

CONFIGS = Path(__file__).parents[2] / "configs"

WIDTHS = ("0.25", "0.5", "0.75", "1")

QUANTITIES = {
    "discriminator_loss": WIDTHS,
    "generator_loss": WIDTHS,
    "distillation_loss": WIDTHS[:-1],
    "real_logits": WIDTHS,
    "fake_logits": WIDTHS,
    "generator_gradient_norm": WIDTHS,
    "discriminator_gradient_norm": WIDTHS,
}

METRICS = ("fid_digits", "kid_digits", "is_digits", "precision_digits", "recall_digits")


class Logged(NamedTuple):
    """A run's folder, and what its files for Weights & Biases hold."""

    folder: Path
    records: list[dict[str, Any]]
    media: Path

    def of(self, kind: str) -> list[Any]:
        """Return the records of a kind."""
        return [record[kind] for record in self.records if record["type"] == kind]

    @property
    def history(self) -> list[dict[str, Any]]:
        """The rows that were logged, in order."""
        return [entry["item"] for entry in self.of("history")]

    def table(self, name: str) -> dict[str, Any]:
        """Return the newest version of a table."""
        paths = [row[f"{name}.path"] for row in self.history if f"{name}.path" in row]
        content: dict[str, Any] = json.loads((self.media.parent / paths[-1]).read_text())
        return content


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """Return a run of four iterations that was evaluated after the second and the last, logged offline."""
    root = tmp_path_factory.mktemp("logged")
    (root / "config.yaml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("WANDB_DATA_DIR", str(root / "staging"))
        options = ["--wandb", "offline", "--wandb_run.log_checkpoint", "true", "--wandb_run.tags", "[a, b]"]
        run(
            *("fit", "--config", "config.yaml", "--config", CONFIGS / "wandb.yaml", *options),
            *("--trainer.max_steps", 4, "--trainer.log_every_n_steps", 1, "--trainer.val_check_interval", 2),
        )
        wandb.finish()
    folder = root / "runs" / "version_0"
    (offline,) = folder.glob("wandb/offline-run-*")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(offline)]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return Logged(folder, [json.loads(line) for line in said.stdout.splitlines()], offline / "files" / "media")


def table_rows(logged: Logged) -> list[dict[str, float]]:
    """Return the rows of the run's CSV log, as numbers."""
    with (logged.folder / "metrics.csv").open(newline="") as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def test_every_width_has_each_quantity_in_every_log(logged: Logged) -> None:
    keys = {f"{name}/{width}" for name, widths in QUANTITIES.items() for width in widths}
    keys |= {f"pace/{name}" for name in ("iterations_per_second", "images_per_second", "epochs", "seconds_left")}
    events = EventAccumulator(str(logged.folder)).Reload()
    table = table_rows(logged)
    for key in sorted(keys):
        values = [(row["step"], row[key]) for row in table if key in row]
        first = 3 if key.startswith("pace/") and key != "pace/epochs" else 1  # the first iteration is no measure
        assert [iteration for iteration, _ in values] == list(range(first, 5)), key
        sent = [(row["iteration"], row[key]) for row in logged.history if key in row]
        shown = [(scalar.step, scalar.value) for scalar in events.Scalars(key)]
        assert np.array(sent) == pytest.approx(np.array(values), rel=1e-6), key
        assert np.array(shown) == pytest.approx(np.array(values), rel=1e-6), key


def test_every_metric_of_an_evaluation_is_in_every_log(logged: Logged) -> None:
    events = EventAccumulator(str(logged.folder)).Reload()
    results = json.loads((logged.folder / "results" / "iteration_000002.json").read_text())
    for key in (f"{name}/{width}" for name in METRICS for width in WIDTHS):
        name, width = key.split("/")
        value = results["widths"][WIDTHS.index(width)][name]
        assert next(row[key] for row in table_rows(logged) if key in row) == pytest.approx(value, rel=1e-6)
        assert next(row[key] for row in logged.history if key in row) == pytest.approx(value, rel=1e-6)
        assert events.Scalars(key)[0].value == pytest.approx(value, rel=1e-6)


def test_the_iteration_is_the_axis_of_all_charts(logged: Logged) -> None:
    assert logged.of("metric")[-1]["glob_name"] == "*"
    assert logged.of("metric")[-1]["step_metric"] == "iteration"
    assert all("iteration" in row for row in logged.history)


def test_a_chart_of_each_quantity_has_a_line_per_width(logged: Logged) -> None:
    charts = {key for config in logged.of("config") for key in config["update"]}
    for name in (*QUANTITIES, *METRICS):
        assert f"_wandb.visualize.widths/{name}" in charts
        chart = logged.table(f"widths/{name}_table")
        widths = QUANTITIES.get(name, WIDTHS)
        columns = chart["columns"]
        shown = {row[columns.index("lineKey")] for row in chart["data"]}
        assert shown == {f"width {width}" for width in widths}
        values = [row[columns.index("lineVal")] for row in chart["data"]]
        assert values == pytest.approx(
            [row[f"{name}/{w}"] for w in widths for row in table_rows(logged) if f"{name}/{w}" in row]
        )


def test_what_is_not_new_is_logged_once(logged: Logged) -> None:
    """The last iteration is evaluated twice with the same metrics, and training ends with no new row in the log."""
    tables = [row["iteration"] for row in logged.history if "evaluation/widths.path" in row]
    assert tables == [2, 4]
    charts = [row["iteration"] for row in logged.history if "widths/generator_loss_table.path" in row]
    assert charts == [2, 4, 4]


def test_an_evaluation_is_a_table_and_charts_of_quality_against_cost(logged: Logged) -> None:
    results = json.loads((logged.folder / "results.json").read_text())
    table = logged.table("evaluation/widths")
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    for row, evaluated in zip(rows, results["widths"], strict=True):
        assert (row["width"], row["parameters"], row["MACs"]) == (
            evaluated["width"],
            evaluated["parameters"],
            evaluated["macs"],
        )
        assert all(row[name] == pytest.approx(evaluated[name]) for name in METRICS)
        assert row["latency in ms"] > 0
    charts = {key: value for config in logged.of("config") for key, value in config["update"].items()}
    for name, cost in {"macs": "MACs", "latency": "latency in ms"}.items():
        fields = charts[f"_wandb.visualize.evaluation/quality_against_{name}"]["panel_config"]["fieldSettings"]
        assert fields == {"x": cost, "y": "fid_digits"}


def test_pictures_are_those_on_disk_and_not_black(logged: Logged) -> None:
    names = [row["samples.filenames"][0] for row in logged.history if "samples.filenames" in row]
    assert len(names) == 2
    for name, iteration in zip(names, (2, 4), strict=True):
        sent = Image.open(logged.media.parent / name).convert("RGB")
        saved = Image.open(logged.folder / "samples" / f"iteration_{iteration:06d}.png").convert("RGB")
        assert ImageChops.difference(sent, saved).getbbox() is None
        assert int(np.asarray(sent).max()) > 100


def test_the_summary_holds_the_best_of_each_metric(logged: Logged) -> None:
    paths = [logged.folder / "results" / "iteration_000002.json", logged.folder / "results.json"]
    evaluations = [json.loads(path.read_text()) for path in paths]
    summary: dict[str, Any] = {}
    for record in logged.of("summary"):
        summary |= record["update"]
    for choose, name in ((min, "fid_digits"), (max, "is_digits")):
        for number, width in enumerate(WIDTHS):
            best = choose(results["widths"][number][name] for results in evaluations)
            assert summary[f"best/{name}/{width}"] == pytest.approx(best)
    assert summary["best/mic_digits"] == pytest.approx(min(results["mic_digits"] for results in evaluations))


def test_the_configuration_the_tags_and_the_checkpoint_are_there(logged: Logged) -> None:
    settings: dict[str, Any] = {}
    for config in logged.of("config"):
        settings |= config["update"]
    assert settings["settings"]["model"]["distill_weight"] == 7
    assert settings["settings"]["trainer"]["max_steps"] == 4
    assert logged.of("run")[0]["tags"] == ["a", "b"]
    (artifact,) = [entry for entry in logged.of("artifact") if entry["type"] == "model"]
    assert artifact["manifest"]["contents"][0]["path"] == "last.ckpt"


def test_tensorboard_has_the_pictures_and_a_chart_with_all_widths_of_each_quantity(logged: Logged) -> None:
    events = EventAccumulator(str(logged.folder)).Reload()
    assert [image.step for image in events.Images("samples")] == [2, 4]
    layout = Layout()
    content = events.Tensors("custom_scalars__config__")[-1].tensor_proto.string_val[0]
    layout.ParseFromString(content)
    charts = {chart.title: chart.multiline.tag[0] for category in layout.category for chart in category.chart}
    scalars = events.Tags()["scalars"]
    for name, widths in QUANTITIES.items():
        assert matching(charts[name], scalars) == {f"{name}/{width}" for width in widths}
    assert matching(charts["fid"], scalars) == {f"fid_digits/{width}" for width in WIDTHS}
    assert matching(charts["kid"], scalars) == {f"kid_digits/{width}" for width in WIDTHS}


def matching(pattern: str, names: list[str]) -> set[str]:
    return {name for name in names if re.match(pattern, name)}


def test_the_logs_of_one_run_lie_in_its_folder(tmp_path: Path) -> None:
    loggers = make_loggers(str(tmp_path), "off")
    assert {os.fspath(logger.log_dir or "") for logger in loggers} == {str(tmp_path / "version_0")}


@pytest.mark.slow
def test_a_run_that_goes_on_is_the_same_run_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(TINY)
    options = ("--config", "config.yaml", "--wandb", "offline", "--model.evaluator", "null")
    run("fit", *options)
    wandb.finish()
    (first,) = Path("runs/version_0/wandb").glob("offline-run-*")
    run("fit", *options, "--ckpt_path", "last", "--trainer.max_steps", 5)
    wandb.finish()
    folders = list(Path("runs/version_0/wandb").glob("offline-run-*"))
    assert len(folders) == 2
    assert {file.name for folder in folders for file in folder.glob("*.wandb")} == {
        f"run-{run_id(first.parents[1])}.wandb"
    }


@pytest.mark.slow
def test_where_nothing_is_logged_the_option_says_that_it_has_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(TINY)
    off = ("--trainer.logger", "false", "--model.evaluator", "null")
    run("fit", "--config", "config.yaml", "--wandb", "offline", *off)
    assert "--wandb has no effect here" in capsys.readouterr().out
    assert not list(tmp_path.rglob("offline-run-*"))


def test_a_tag_that_is_refused_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(TINY)
    status, line = fails(
        capsys, "fit", "--config", "config.yaml", "--wandb", "offline", "--wandb_run.tags", f"[{'a' * 99}]"
    )
    assert status == 1
    assert "--wandb_run.tags" in line
    assert not list(Path("runs").glob("version_*"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], None),
        (["offline-run-20260101_000000-abcd1234"], "abcd1234"),
        (["run-20260102_000000-new45678", "run-20260101_000000-old12345"], "new45678"),
        (["offline-run-20260101_000000-abcd1234", "offline-run-20260101_000000-abcd1234-1"], "abcd1234"),
    ],
    ids=["none", "one", "the newest", "two of one second"],
)
def test_the_run_of_a_folder_is_known_by_its_id(names: list[str], expected: str | None, tmp_path: Path) -> None:
    for name in [*names, "latest-run"]:
        (tmp_path / "wandb" / name).mkdir(parents=True)
    assert run_id(tmp_path) == expected
