"""A run that was stopped anywhere, by a signal or a kill, and is resumed equals one that never stopped."""

import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from commands import run
from kill_storm import RESUME, Commands, differences, kill_until_it_ends, last_run, make_folder, outcome
from killed_save import die_in_save
from sharing import fill_once, mostly_slow

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks.stop_on_signal import PATIENCE
from slimgan_pl.evaluation import DigitsClassifier
from slimgan_pl.runs.checkpoints import read_checkpoint

RUN = Path("runs/version_0")


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands()


@pytest.fixture(scope="module")
def whole(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a run that never stopped leaves behind."""

    def train(parent: Path) -> None:
        folder = make_folder(parent, "run")
        assert commands.finish(folder) == 0, (folder / "log.txt").read_text()

    return outcome(fill_once(tmp_path_factory, "whole", train) / "run" / RUN)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new folder with the configuration, which is the working directory."""
    folder = make_folder(tmp_path, "run")
    monkeypatch.chdir(folder)
    return folder


def stopped(capsys: pytest.CaptureFixture[str], *args: Any) -> tuple[int, str]:
    """Run a command that a signal ends; return its status and the last line that it says."""
    with pytest.raises(SystemExit) as exit_info:
        run(*args)
    return int(str(exit_info.value.code)), capsys.readouterr().err.strip().splitlines()[-1]


def signal_in(patch: pytest.MonkeyPatch, owner: type, method: str, number: int, signum: int, times: int = 1) -> None:
    """Have a signal arrive in a call of a method."""
    original: Callable[..., Any] = getattr(owner, method)
    calls = 0

    def signalled(self: Any, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        for _ in range(times if calls == number else 0):
            os.kill(os.getpid(), signum)
        return original(self, *args)

    patch.setattr(owner, method, signalled)


@mostly_slow(
    ("iteration", "signum"),
    [(10, signal.SIGTERM), (21, signal.SIGTERM), (28, signal.SIGINT), (42, signal.SIGTERM), (44, signal.SIGTERM)],
    ids=["mid-epoch", "an epoch's end", "before an evaluation", "an epoch's end before an evaluation", "the end"],
    keep=1,
)
def test_a_signal_finishes_the_iteration_and_saves_it(
    iteration: int,
    signum: int,
    folder: Path,
    whole: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        signal_in(patch, SlimGAN, "training_step", iteration, signum)
        status, said = stopped(capsys, *RESUME)
    assert status == 128 + signum
    assert f"stopped by {signal.Signals(signum).name} after iteration {iteration}; saved in" in said
    run(*RESUME)
    assert f"Resuming runs/version_0 after iteration {iteration}." in capsys.readouterr().out
    assert differences(whole, outcome(RUN)) == []


@mostly_slow(
    ("patience", "saved"),
    [(PATIENCE, 10), (-1.0, 8)],
    ids=["passed on twice by a launcher", "meant to end it at once"],
    keep=lambda given: given[1] == 8,
)
def test_a_second_signal_ends_the_run_at_once_unless_it_comes_with_the_first(
    patience: float, saved: int, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slimgan_pl.callbacks.stop_on_signal.PATIENCE", patience)
    signal_in(monkeypatch, SlimGAN, "training_step", 10, signal.SIGTERM, times=2)
    assert stopped(capsys, *RESUME)[0] == 143
    assert read_checkpoint(RUN / "checkpoints" / "last.ckpt")["global_step"] == saved


@mostly_slow("call", [10, 30], ids=["on the way", "at the end"])
def test_a_signal_ends_an_evaluation_at_once_and_it_is_made_again(
    call: int,
    folder: Path,
    whole: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        signal_in(patch, DigitsClassifier, "forward", call, signal.SIGTERM)
        status, said = stopped(capsys, *RESUME)
    assert status == 143
    assert "stopped by SIGTERM" in said
    run(*RESUME)
    assert differences(whole, outcome(RUN)) == []


def test_a_kill_in_the_middle_of_a_save_leaves_the_checkpoint_before_it(
    commands: Commands, folder: Path, whole: dict[str, Any]
) -> None:
    # In the third save, as no evaluation has written metrics yet.
    process = commands.context.Process(target=die_in_save, args=(folder, 3))
    process.start()
    process.join(240)
    assert process.exitcode == -signal.SIGKILL
    assert [path.name for path in (RUN / "checkpoints").glob(".*")] == [".last.ckpt.part"]
    assert read_checkpoint(RUN / "checkpoints" / "last.ckpt")["global_step"] > 0
    assert commands.finish(folder) == 0, Path("log.txt").read_text()
    assert differences(whole, outcome(RUN)) == []
    assert not list((RUN / "checkpoints").glob(".*"))


@pytest.mark.slow
def test_kills_at_random_moments_cost_nothing(commands: Commands, folder: Path, whole: dict[str, Any]) -> None:
    kills, resumed_from = kill_until_it_ends(commands, folder, longest=3.0, seed=1, most=5)
    assert kills >= 3
    assert resumed_from == sorted(resumed_from)
    assert differences(whole, outcome(last_run(folder))) == []


def start_pair(commands: Commands, folder: Path) -> list[BaseProcess]:
    """Start the command on two processes, as torchrun does."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    shared |= {"TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0"}
    args = [*RESUME, "--trainer.devices", "2", "--trainer.strategy", "ddp"]
    return [commands.start(folder, args, {**shared, "RANK": rank, "LOCAL_RANK": rank}) for rank in ("0", "1")]


def wait_for_iteration(folder: Path, iteration: int) -> None:
    """Wait until a run has said that it has come so far."""
    log = folder / "log.txt"
    for _ in range(1200):
        if log.exists() and f"Iteration {iteration}/" in log.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def join(processes: list[BaseProcess]) -> list[int | None]:
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


@pytest.mark.slow
def test_two_processes_stop_together_and_resume_as_if_they_had_not(commands: Commands, tmp_path: Path) -> None:
    alone, folder = make_folder(tmp_path, "alone"), make_folder(tmp_path, "stopped")
    assert join(start_pair(commands, alone)) == [0, 0], (alone / "log.txt").read_text()
    for iteration, told in ((8, [0, 1]), (32, [1])):  # a whole group, and a single process
        pair = start_pair(commands, folder)
        wait_for_iteration(folder, iteration)
        for rank in told:
            os.kill(pair[rank].pid or 0, signal.SIGTERM)
        assert join(pair) == [143, 143], (folder / "log.txt").read_text()
    assert join(start_pair(commands, folder)) == [0, 0], (folder / "log.txt").read_text()
    assert differences(outcome(alone / RUN), outcome(folder / RUN)) == []


@mostly_slow("dead", [0, 1])
def test_a_process_that_dies_ends_the_others_with_a_sentence(dead: int, commands: Commands, tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "run")
    pair = start_pair(commands, folder)
    wait_for_iteration(folder, 8)
    os.kill(pair[dead].pid or 0, signal.SIGKILL)
    statuses = join(pair)
    log = (folder / "log.txt").read_text()
    assert statuses[dead] == -signal.SIGKILL
    assert statuses[1 - dead] == 1, log
    assert "another process of this run has ended; what was saved stays: resume with --ckpt_path last" in log
    assert "Traceback" not in log
