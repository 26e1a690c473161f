"""What the system refuses costs a warning, and never what was trained."""

import csv
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
import wandb
from commands import TINY, fails, run
from sharing import mostly_slow

from slimgan_pl import SlimGAN
from slimgan_pl.runs.checkpoints import read_checkpoint
from slimgan_pl.runs.csv_log import CSVTable
from slimgan_pl.training.iteration import Iteration
from slimgan_pl.training.updates import Updates

LAST = Path("runs/version_0/checkpoints/last.ckpt")


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a disk of 1 MB with the tiny configuration, as the working directory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a disk")
    monkeypatch.chdir(disk)
    monkeypatch.setattr(
        "slimgan_pl.cli.lightning_cli.lock_run", nullcontext
    )  # a disk with an open file cannot be made read-only
    Path("tiny.yaml").write_text(TINY)
    yield disk
    os.chdir("/")
    subprocess.run(["umount", str(disk)], check=True)


def refuse(disk: Path, how: str) -> None:
    """Have a disk take no more."""
    if how == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        return
    with (disk / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):  # noqa: PT012
        while True:
            file.write(bytes(4096))


def relieve(disk: Path, how: str) -> None:
    """Have it take what comes again."""
    if how == "read-only":
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    else:
        (disk / "ballast").unlink()


def at_iterations(patch: pytest.MonkeyPatch, actions: dict[int, Callable[[], None]]) -> None:
    """Do something before iterations."""
    step = SlimGAN.training_step

    def acting(self: SlimGAN, *args: Any) -> None:
        actions.get(self.global_step + 1, lambda: None)()
        step(self, *args)

    patch.setattr(SlimGAN, "training_step", acting)


FIT = ["fit", "--config", "tiny.yaml", "--trainer.max_steps", 8, "--checkpoint.every_n_iterations", 2]
FIT += ["--trainer.log_every_n_steps", 1]


@mostly_slow("how", ["full", "read-only"])
def test_a_disk_that_refuses_for_a_while_costs_nothing_but_the_saves_of_that_while(
    how: str, small_disk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    at_iterations(
        monkeypatch,
        {
            3: lambda: refuse(small_disk, how),
            6: lambda: kept.append(read_checkpoint(LAST)["global_step"]),
            7: lambda: relieve(small_disk, how),
        },
    )
    run(*FIT)
    said = capsys.readouterr().err
    assert "last.ckpt could not be saved (" in said
    assert "that of iteration 2 stays, and training continues: make room or give write access there" in said
    assert how == "full" or "metrics.csv could not be written (" in said  # a row may fit where a file does not
    assert "Traceback" not in said
    assert kept == [2]
    assert read_checkpoint(LAST)["global_step"] == 8
    rows = (LAST.parents[1] / "metrics.csv").read_text().splitlines()
    assert len(rows) == 1 + 8 + 1  # the head, each iteration, the evaluation


@mostly_slow("how", ["full", "read-only"])
def test_a_net_that_cannot_be_saved_at_the_end_is_saved_elsewhere(
    how: str, small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    at_iterations(monkeypatch, {7: lambda: refuse(small_disk, how)})
    status, line = fails(capsys, *FIT, "--checkpoint.every_n_iterations", 6)
    assert status == 1
    (path,) = tmp_path.glob("slimgan-*/last.ckpt")
    assert f"it is in {path}, move it" in line
    assert read_checkpoint(path)["global_step"] == 8
    assert read_checkpoint(LAST)["global_step"] == 6


@mostly_slow(
    ("command", "blocked", "missing"),
    [
        ("test", [".json"], "the results"),
        ("test", [".png"], "the picture"),
        ("test", [".json", ".png"], "the results and the picture"),
        ("validate", [".json"], "the results"),
    ],
)
def test_an_evaluation_that_cannot_be_written_is_printed_and_fails_and_names_no_file(
    command: str, blocked: list[str], missing: str, tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / "last.ckpt"
    checkpoint.write_bytes((tiny_run / "checkpoints" / "last.ckpt").read_bytes())
    for suffix in blocked:
        checkpoint.with_suffix(f".{command}{suffix}").mkdir()
    with pytest.raises(SystemExit) as exit_info:
        run(command, "--ckpt_path", checkpoint)
    said = capsys.readouterr()
    assert exit_info.value.code == 1
    assert f"slimgan: error: {missing} could not be written; do what the warning says" in said.err
    assert said.err.count("could not be written (Is a directory)") == len(blocked)
    assert "FID" in said.out
    assert ("Results:" in said.out) == (".json" not in blocked)
    assert ("Picture:" in said.out) == (command == "test" and ".png" not in blocked)


@mostly_slow("missing", ["results.json", "samples.png"])
def test_a_run_that_loses_its_results_keeps_its_net_and_fails(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    at_iterations(monkeypatch, {2: (LAST.parents[1] / missing).mkdir})
    with pytest.raises(SystemExit) as exit_info:
        run(*FIT)
    said = capsys.readouterr()
    assert exit_info.value.code == 1
    assert "could not be written; do what the warning says" in said.err
    assert missing not in said.out
    assert read_checkpoint(LAST)["global_step"] == 8


def test_a_net_that_can_be_saved_nowhere_is_not_said_to_be_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    monkeypatch.setattr("slimgan_pl.callbacks.checkpoint.save_elsewhere", lambda checkpoint: None)

    def block() -> None:
        LAST.unlink()
        LAST.mkdir()

    at_iterations(monkeypatch, {3: block})
    _, line = fails(capsys, *FIT)
    assert "the trained net could not be saved anywhere; make room" in line


def refuse_log(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


@mostly_slow(
    "place",
    [
        "wandb.sdk.wandb_run.Run.log",
        "slimgan_pl.runs.wandb_charts.widths_table",
        "slimgan_pl.callbacks.dashboards.read_metrics",
        "slimgan_pl.callbacks.dashboards.log_checkpoint",
    ],
    ids=["rows", "tables", "curves", "the checkpoint"],
    keep=1,
)
def test_what_weights_and_biases_cannot_write_costs_a_warning_and_no_net(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    monkeypatch.setattr(place, refuse_log)
    run(*FIT, "--trainer.val_check_interval", 4, "--wandb", "offline", "--wandb_run.log_checkpoint", "true")
    wandb.finish()
    said = capsys.readouterr().err
    assert "what Weights & Biases is told could not be written (No space left on device)" in said
    assert "Traceback" not in said
    assert read_checkpoint(LAST)["global_step"] == 8
    assert (LAST.parents[1] / "results.json").is_file()


@pytest.mark.slow
def test_a_table_of_metrics_that_is_gone_costs_the_charts_and_no_net(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    path = LAST.parents[1] / "metrics.csv"

    def damage() -> None:
        path.write_bytes(b"\xff\xfe\x00")

    at_iterations(monkeypatch, {8: damage})
    monkeypatch.setattr(CSVTable, "save", lambda self: None)
    run(*FIT, "--wandb", "offline")
    wandb.finish()
    assert "Weights & Biases was not told (" in capsys.readouterr().err
    assert read_checkpoint(LAST)["global_step"] == 8


@mostly_slow("whose", ["discriminators", "generator"])
def test_a_gradient_that_is_not_finite_ends_the_run_before_it_is_saved(
    whose: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    method = f"train_{whose}"
    original, calls = getattr(Updates, method), list[int]()

    def spoiled(self: Updates, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        calls.append(0)
        if len(calls) == 5:
            net = self.bank if whose == "discriminators" else self.generator
            gradient = next(net.parameters()).grad
            assert gradient is not None
            gradient.view(-1)[0] = float("inf")
        return result

    monkeypatch.setattr(Updates, method, spoiled)
    _, line = fails(capsys, *FIT)
    assert f"a gradient of the {whose} is not finite at iteration 5;" in line
    assert read_checkpoint(LAST)["global_step"] == 4
    assert read_checkpoint(LAST.with_name("nonfinite.ckpt"))["global_step"] == 5


def test_a_weight_that_is_not_finite_is_never_saved_as_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    iterate = Iteration.__call__

    def spoiling(self: Iteration, *args: Any, **kwargs: Any) -> Any:
        result = iterate(self, *args, **kwargs)
        if LAST.exists() and read_checkpoint(LAST)["global_step"] == 2:
            next(self.updates.generator.parameters()).data.view(-1)[0] = float("nan")
        return result

    monkeypatch.setattr(Iteration, "__call__", spoiling)
    _, line = fails(capsys, *FIT, "--checkpoint.every_n_iterations", 1)
    assert "is not finite at iteration 3;" in line
    assert read_checkpoint(LAST)["global_step"] == 2


def test_a_checkpoint_whose_bytes_have_changed_is_passed_over_for_an_earlier_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    run(*FIT, "--checkpoint.keep_every_n_iterations", 3)
    content = bytearray(LAST.read_bytes())
    content[len(content) // 2] ^= 1
    LAST.write_bytes(content)
    (LAST.parents[1] / "results.json").unlink()
    capsys.readouterr()
    run(*FIT, "--ckpt_path", "last", "--model.distill_weight", 3)
    output = capsys.readouterr()
    assert "last.ckpt cannot be read as a checkpoint: it is damaged" in output.err
    assert "Resuming runs/version_0 after iteration 6." in output.out
    assert "Changed since the checkpoint: model.distill_weight: 7.0 -> 3.0" in output.out
    assert read_checkpoint(LAST)["global_step"] == 8


@pytest.mark.slow
def test_last_starts_afresh_where_there_is_nothing_and_leaves_a_finished_run_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    assert (
        "no run with a checkpoint in runs" in fails(capsys, "test", "--config", "tiny.yaml", "--ckpt_path", "last")[1]
    )
    run(*FIT, "--ckpt_path", "last")
    assert "There is no checkpoint in runs yet; starting a new run." in capsys.readouterr().out
    before = LAST.read_bytes()
    with pytest.raises(SystemExit) as exit_info:
        run(*FIT, "--ckpt_path", "last")
    assert exit_info.value.code in (0, None)
    assert "Nothing to do: 8 of 8 iterations are done; raise --trainer.max_steps" in capsys.readouterr().out
    assert LAST.read_bytes() == before
    run("test", "--config", "tiny.yaml", "--ckpt_path", "last")
    results = LAST.parents[1] / "results.json"
    whole = results.read_text()
    results.write_text(whole.replace('"iteration": 8', '"iteration": 4'))  # of when the run was to be shorter
    run(*FIT, "--ckpt_path", "last")
    assert (json.loads(results.read_text())["iteration"], LAST.read_bytes()) == (8, before)


@pytest.mark.slow
def test_the_last_checkpoint_holds_the_evaluation_behind_the_last_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    run(*FIT, "--trainer.val_check_interval", 8)
    assert read_checkpoint(LAST)["run"]["logged_rows"] == 8 + 1


def test_memory_that_is_too_small_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)

    def greedy(*_: Any) -> None:
        torch.empty(2**50)

    monkeypatch.setattr(Iteration, "__call__", greedy)
    assert "set --model.micro_batches, or lower --data.batch_size" in fails(capsys, *FIT)[1]


def test_a_table_of_metrics_keeps_its_rows_while_it_cannot_be_written(tmp_path: Path) -> None:
    table = CSVTable(tmp_path)
    table.log_metrics({"a": 1.0}, 1)
    table.save()
    table.path.rename(tmp_path / "aside")
    table.path.mkdir()
    table.log_metrics({"a": 2.0, "b": 3.0}, 2)
    with pytest.warns(UserWarning, match=r"metrics\.csv could not be written"):
        table.save()
    table.path.rmdir()
    (tmp_path / "aside").rename(table.path)
    table.save()
    assert table.path.read_text().split() == ["a,b,step", "1.0,,1", "2.0,3.0,2"]
    assert CSVTable(tmp_path, kept_rows=1).num_rows == 1
    assert table.path.read_text().split() == ["a,step", "1.0,1"]


@pytest.mark.parametrize("row", [{"a": 22222222.0}, {"b": 2.0}], ids=["a row", "a column"])
def test_a_disk_that_is_full_within_a_table_leaves_it_whole(row: dict[str, float], tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    table = CSVTable(tmp_path)
    table.log_metrics({"a": 1.0}, 1)
    table.save()
    table.log_metrics(row, 2)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (table.path.stat().st_size + 4, limits[1]))
    try:
        with pytest.warns(UserWarning, match=r"metrics\.csv could not be written"):
            table.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert table.path.read_text().split() == ["a,step", "1.0,1"]
    table.save()
    with table.path.open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["a"], first["step"]) == ("1.0", "1")
    assert {key: value for key, value in second.items() if value} == {
        **{k: str(v) for k, v in row.items()},
        "step": "2",
    }


def test_rows_are_on_disk_when_they_are_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, synced = CSVTable(tmp_path), list[str]()
    table.log_metrics({"a": 1.0}, 1)
    table.save()
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(table.path.read_text()))
    table.log_metrics({"a": 2.0}, 2)
    table.save()
    assert [text.split() for text in synced] == [["a,step", "1.0,1", "2.0,2"]]
