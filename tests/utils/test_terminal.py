"""What the command prints, where it cannot be printed."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
from commands import TINY, fails, run

from slimgan_pl import SlimGAN
from slimgan_pl.runs.checkpoints import read_checkpoint
from slimgan_pl.utils.signals import interrupting
from slimgan_pl.utils.terminal import typed_command

FIT = ["fit", "--config", "tiny.yaml", "--model.evaluator", "null"]

LAST = Path("runs/version_0/checkpoints/last.ckpt")


@pytest.fixture(params=["full disk", "closed pipe", "closed before the start"])
def lost(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO | None]:
    """Standard output that takes nothing, in a folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    if request.param == "closed before the start":
        yield None
        return
    if request.param == "full disk":
        if not Path("/dev/full").exists():
            pytest.skip("needs /dev/full")
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    with open(descriptor, "w") as stream:
        yield stream


def test_a_run_goes_on_where_nothing_can_be_printed(lost: TextIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", lost)
        patch.setattr(sys, "stderr", lost)
        run(*FIT)
    assert read_checkpoint(LAST)["global_step"] == 3


def test_a_run_whose_output_is_lost_is_saved_when_a_signal_ends_it(
    lost: TextIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = SlimGAN.training_step

    def closing(self: SlimGAN, *args: Any) -> None:
        if self.global_step == 1:
            os.kill(os.getpid(), signal.SIGHUP)
        step(self, *args)

    monkeypatch.setattr(SlimGAN, "training_step", closing)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", lost)
        patch.setattr(sys, "stderr", lost)
        with pytest.raises(SystemExit) as exit_info:
            run(*FIT)
    assert exit_info.value.code == 129
    assert read_checkpoint(LAST)["global_step"] == 2


@pytest.mark.parametrize("lost", ["full disk"], indirect=True)
def test_a_run_ends_well_without_output_where_its_configuration_comes_first(
    lost: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f"  {line}\n" for line in TINY.splitlines())
    Path("first.yaml").write_text(f"fit:\n{lines}")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", lost)
        run("--config", "first.yaml", "fit", "--model.evaluator", "null")
    assert read_checkpoint(LAST)["global_step"] == 3


@pytest.mark.parametrize("lost", ["full disk"], indirect=True)
def test_a_command_whose_output_is_all_it_makes_fails_with_it(
    lost: TextIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*FIT)
    monkeypatch.setattr(sys, "stdout", lost)
    status, line = fails(capsys, "sample", "--ckpt_path", LAST)
    assert (status, "No space left on device" in line) == (1, True)


def test_signals_that_are_ignored_stay_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupting():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert callable(signal.getsignal(signal.SIGTERM))
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("argv", "on_path", "expected"),
    [
        ("/env/bin/slimgan", "/env/bin/slimgan", "slimgan"),
        (".venv/bin/slimgan", None, ".venv/bin/slimgan"),
        (".venv/bin/slimgan", "/env/bin/slimgan", ".venv/bin/slimgan"),
        ("an env/bin/slimgan", None, "'an env/bin/slimgan'"),
        ("/src/slimgan_pl/__main__.py", "/env/bin/slimgan", "python3 -m slimgan_pl"),
    ],
)
def test_the_command_is_named_as_the_users_shell_finds_it(
    argv: str, on_path: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [argv, "fit"])
    monkeypatch.setattr(sys, "orig_argv", ["python3", "-m", "slimgan_pl", "fit"])
    monkeypatch.setattr("shutil.which", lambda name: on_path if name == "slimgan" else None)
    assert typed_command() == expected
