"""Checks of Lightning's command before anything is written."""

import sys
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback

from slimgan_pl.callbacks import RunRecord
from slimgan_pl.cli.arguments import as_list
from slimgan_pl.cli.checkpoint_defaults import CheckpointDefaultsCLI, say
from slimgan_pl.cli.trainer_options import check_trainer_options
from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.checkpoints import check_weights, read_checkpoint
from slimgan_pl.runs.lightning_internals import callbacks_of
from slimgan_pl.runs.resume import check_folder_of_run
from slimgan_pl.runs.settings import compare_settings
from slimgan_pl.training.compatibility import check_callbacks, check_data, check_training
from slimgan_pl.training.monitors import check_best, check_monitors

__all__ = ["CheckedSettingsCLI"]


class CheckedSettingsCLI(CheckpointDefaultsCLI):
    """Lightning's command with checks of its settings."""

    def check_settings(self) -> None:
        """Raise a SlimGANError for settings that do not fit, before writing."""
        check_data(self.model.generator, self.datamodule, self.model.discriminators)
        if self.subcommand == "fit":
            trainer = self._get(self.config, "trainer")
            check_trainer_options(trainer.as_dict())
            intervals = trainer.val_check_interval, trainer.log_every_n_steps
            check_training(trainer.max_steps, trainer.max_epochs, *intervals)
            check_folder_of_run(
                Path(trainer.default_root_dir), self.stopped, trainer.logger, trainer.enable_checkpointing
            )
            check_callbacks(self._given_callbacks)
            is_endless = trainer.max_steps < 0 and trainer.max_epochs in (None, -1)
            self.model.check_schedules(float("inf") if is_endless else 1)
        ckpt_path = self._get(self.config, "ckpt_path")
        if ckpt_path is not None:
            checkpoint = read_checkpoint(ckpt_path)
            check_weights(self.model, self.model.adapt_state(checkpoint["state_dict"]), ckpt_path)
            if self.subcommand == "fit":
                self.model.apply_settings(checkpoint)
                if self._has_ended(checkpoint, ckpt_path):
                    return  # but no results, which fit makes
        extraction = None
        if self.model.evaluator is not None:
            extraction = self.model.evaluator.start(self.model.device, self.model.fakes().shape)
        if self.subcommand == "fit":
            rhythm = trainer.log_every_n_steps, trainer.val_check_interval, trainer.max_steps
            check_monitors(self._given_callbacks, self.model, extraction, *rhythm)
            self._check_best(trainer.enable_checkpointing)

    def _check_best(self, enable_checkpointing: bool | None) -> None:
        """Raise a SlimGANError where the best checkpoint could not be kept."""
        best = self._get(self.config_init, "checkpoint").best
        if best is None:
            return
        if enable_checkpointing is False:
            raise SlimGANError(
                "--checkpoint.monitor keeps a checkpoint and --trainer.enable_checkpointing false none; leave one out"
            )
        check_best(best.monitor, self.model, is_evaluated=True)  # the callback, which sees the data, warns if it is not

    @property
    def _given_callbacks(self) -> list[Callback]:
        return as_list(self._get(self.config_init, "trainer")["callbacks"])

    def _has_ended(self, checkpoint: dict[str, Any], ckpt_path: str) -> bool:
        """Return whether only an evaluation is left; exit if nothing is."""
        max_steps, iteration = self._get(self.config, "trainer.max_steps"), checkpoint["global_step"]
        callback = self._get(self.config_init, "checkpoint")
        if 0 <= max_steps <= iteration:
            done, option = f"{iteration:,} of {max_steps:,} iterations are done", "--trainer.max_steps"
        elif self.stopped is not None and callback.has_no_patience(checkpoint):
            done, option = callback.best.describe_end(), "--checkpoint.patience"
        else:
            return False
        if self.stopped is None:
            raise SlimGANError(f"nothing to do: {done} in {ckpt_path}; raise {option}")
        if self.stopped.is_evaluated or self.model.evaluator is None:
            say(f"Nothing to do: {done}; raise {option} to resume it.")
            sys.exit()
        return True

    def before_fit(self) -> None:
        """Print the settings that differ from the resumed run's."""
        if self.settings_before is None:
            return
        for record in callbacks_of(self.trainer, RunRecord):
            now = {**record.settings, "processes": self.trainer.world_size}
            for change in compare_settings(self.settings_before, now):
                say(f"Changed since the checkpoint: {change}")
