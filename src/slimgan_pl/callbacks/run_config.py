"""Settings of a run, on disk and in its checkpoints."""

from functools import cached_property
from typing import Any

import yaml
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.utilities import rank_zero_warn

from slimgan_pl.errors import SlimGANWarning
from slimgan_pl.runs.csv_log import RunCSVLogger
from slimgan_pl.runs.loggers import RunWandbLogger, continuing_without_wandb
from slimgan_pl.runs.settings import run_settings

__all__ = ["RunRecord"]


class RunRecord(SaveConfigCallback):
    """Save the configuration in the run's folder, logs and checkpoints.

    A checkpoint also holds the number of rows in the run's CSV log. So a resumed run can name the settings that have
    changed, and drops the rows behind its checkpoint.
    """

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Settings that change a run, as plain values."""
        settings: dict[str, Any] = yaml.safe_load(self.parser.dump(self.config, skip_none=False))
        return run_settings(settings)

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, RunWandbLogger):
                with continuing_without_wandb():
                    logger.experiment.config.update({"settings": self.settings}, allow_val_change=True)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        rows = [logger.num_rows for logger in trainer.loggers if isinstance(logger, RunCSVLogger)]
        checkpoint["run"] = {
            "settings": {**self.settings, "processes": trainer.world_size},
            "logged_rows": rows[0] if rows else 0,
        }

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        data = trainer.datamodule  # type: ignore[attr-defined]
        if type(data).__qualname__ not in checkpoint and getattr(data, "holds_out", False):
            rank_zero_warn(
                "the checkpoint has no record of these images; if version 0.1.0 wrote it, it held out others for the "
                "test, so some of its test images are now trained on",
                category=SlimGANWarning,
            )
