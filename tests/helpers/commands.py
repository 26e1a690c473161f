"""The command as tests type it, in this process."""

from typing import Any

import pytest

from slimgan_pl.cli import main as cli

__all__ = ["TINY", "fails", "run"]

TINY = """
trainer: {max_steps: 3, accelerator: cpu}
samples: {every_n_iterations: 2, num_latents: 4}
model:
  distill_weight: 7
  generator:
    class_path: slimgan_pl.models.DCGANGenerator
    init_args: {channels: [8, 8, 8], latent_dim: 8, image_channels: 1}
  discriminators:
    class_path: slimgan_pl.models.DCGANDiscriminatorBank
    init_args: {channels: [4, 4, 4], image_channels: 1}
  evaluator:
    class_path: slimgan_pl.evaluation.Evaluator
    init_args: {extractor: slimgan_pl.evaluation.DigitsClassifier, num_fake: 60, splits: 2}
data:
  class_path: slimgan_pl.data.DigitsDataModule
  init_args: {batch_size: 8}
"""


def run(*args: Any) -> None:
    cli.main([str(arg) for arg in args])


def fails(capsys: pytest.CaptureFixture[str], *args: Any) -> tuple[int, str]:
    """Run a command that has to fail; return its status and the one line it says."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_info:
        run(*args)
    error = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(error) == 1, error
    return int(str(exit_info.value.code)), error[0]
