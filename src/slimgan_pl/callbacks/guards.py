"""Stopping a run that has gone wrong."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.errors import UserError
from slimgan_pl.training import TrainedModule

__all__ = ["StopOnNonFinite", "check_finite"]


class StopOnNonFinite(Callback):
    """Ends training when a loss or a weight is NaN or infinite; the checkpoints that were saved stay.

    Args:
        every_n_iterations: Iterations between two looks: each makes the host wait for the device.
    """

    def __init__(self, every_n_iterations: int = 50) -> None:
        self.every_n_iterations = every_n_iterations

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_step % self.every_n_iterations == 0:
            check_finite(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        check_finite(trainer, pl_module)


def check_finite(trainer: Trainer, model: LightningModule) -> None:
    """Raise a UserError on all processes where a loss, a weight or a statistic is NaN or infinite on one of them."""
    losses = model.losses() if isinstance(model, TrainedModule) else {}
    weights = [value for value in model.state_dict().values() if value.is_floating_point()]
    finite = torch.stack([value.isfinite().all() for value in (*losses.values(), *weights)]).all()
    if trainer.strategy.reduce_boolean_decision(bool(finite)):
        return
    wrong = "a weight is not finite"
    for name, value in losses.items():
        if not value.isfinite():
            loss, width = name.split("/")
            wrong = f"the {loss.replace('_', ' ')} of width {width} is {value.item()}"
            break
    raise UserError(
        f"{wrong} at iteration {trainer.global_step}; lower the learning rate, and go on from the last checkpoint or "
        "start again"
    )
