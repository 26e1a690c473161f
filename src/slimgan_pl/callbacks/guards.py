"""Stopping a run that has gone wrong."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.errors import UserError

__all__ = ["StopOnNonFinite"]


class StopOnNonFinite(Callback):
    """Ends training when a loss is NaN or infinite; the checkpoints that were saved stay.

    Args:
        every_n_iterations: Iterations between two looks: each makes the host wait for the device.
    """

    def __init__(self, every_n_iterations: int = 50) -> None:
        self.every_n_iterations = every_n_iterations

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_step % self.every_n_iterations == 0:
            self._look(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._look(trainer)

    def _look(self, trainer: Trainer) -> None:
        for name, value in trainer.callback_metrics.items():
            if "_loss/" in name and not torch.isfinite(value):
                loss, width = name.split("/")
                raise UserError(
                    f"the {loss.replace('_', ' ')} of width {width} is {value.item()} at iteration "
                    f"{trainer.global_step}; go on from the last checkpoint with a lower learning rate"
                )
