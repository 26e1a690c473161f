"""The command on several processes, and what it says of devices that are not there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from commands import TINY, fails
from torch._dynamo.exc import BackendCompilerFailed

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.training.iteration import Iteration

DDP = ["--trainer.devices", "2", "--trainer.strategy", "ddp"]


def results_of(folder: Path, *launcher: str) -> dict[str, Any]:
    """Run the command in a folder on two processes; return its results."""
    folder.mkdir()
    (folder / "tiny.yaml").write_text(TINY)
    command = [sys.executable, "-m", *launcher, "slimgan_pl", "fit", "--config", "tiny.yaml", *DDP]
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, env=settings)
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.count("Checkpoint: runs/version_0/checkpoints/last.ckpt") == 1
    results: dict[str, Any] = json.loads((folder / "runs/version_0/results.json").read_text())
    return results


@pytest.mark.slow
def test_two_processes_need_no_more_than_their_number_and_are_alike_however_they_are_started(tmp_path: Path) -> None:
    own = results_of(tmp_path / "own")
    torchrun = results_of(tmp_path / "torchrun", "torch.distributed.run", "--nproc-per-node", "2", "-m")
    assert own["iteration"] == 3
    assert own["widths"] == torchrun["widths"]


def test_synchronised_batch_norm_without_gpus_is_refused(make_model: Callable[..., SlimGAN]) -> None:
    model: Any = make_model()
    model._trainer = SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("cpu"), _layer_sync=object()))
    with pytest.raises(SlimGANError, match=r"needs GPUs; leave --trainer\.sync_batchnorm out"):
        model.setup("fit")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BackendCompilerFailed.__new__(BackendCompilerFailed, "no compiler"), "(no compiler); leave compile out"),
        (torch.OutOfMemoryError("CUDA out of memory"), "set --model.micro_batches, or lower --data.batch_size"),
    ],
    ids=["compiler", "memory"],
)
def test_what_the_machine_lacks_for_a_step_is_one_sentence(
    error: Exception,
    words: str,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lacking(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Iteration, "__call__", lacking)
    status, message = fails(capsys, "fit", "--config", config)
    assert status == 1
    assert message.endswith(words)
