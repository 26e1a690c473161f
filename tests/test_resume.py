"""A run that was stopped anywhere, by a signal or a kill, and goes on equals one that never stopped."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import run
from kill_storm import RESUME, Commands, differences, make_folder, outcome

from slimgan_pl import SlimGAN
from slimgan_pl.evaluation import DigitsClassifier

RUN = Path("runs/version_0")


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands()


@pytest.fixture(scope="module")
def whole(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a run that never stopped leaves behind."""
    folder = make_folder(tmp_path_factory.mktemp("whole"), "run")
    assert commands.finish(folder) == 0, (folder / "log.txt").read_text()
    return outcome(folder / RUN)


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


def signal_in(patch: pytest.MonkeyPatch, owner: type, method: str, number: int, signum: int) -> None:
    """Have a signal arrive in a call of a method."""
    original: Callable[..., Any] = getattr(owner, method)
    calls = 0

    def signalled(self: Any, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signum)
        return original(self, *args)

    patch.setattr(owner, method, signalled)


@pytest.mark.parametrize(
    ("iteration", "signum"),
    [(10, signal.SIGTERM), (21, signal.SIGTERM), (28, signal.SIGINT), (42, signal.SIGTERM), (60, signal.SIGTERM)],
    ids=["mid-epoch", "an epoch's end", "before an evaluation", "an epoch's end before an evaluation", "the end"],
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
    assert f"Going on with runs/version_0 after iteration {iteration}." in capsys.readouterr().out
    assert differences(whole, outcome(RUN)) == []


@pytest.mark.parametrize("call", [10, 39], ids=["on the way", "at the end"])
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
