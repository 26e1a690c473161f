"""Where a run's figures are logged."""

import os
import shutil
from typing import Literal

import wandb
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from slimgan_pl.errors import UserError

__all__ = ["WandbMode", "make_loggers"]

WandbMode = Literal["off", "offline", "online"]


def make_loggers(root: str, mode: WandbMode) -> list[Logger]:
    """Return loggers that all write into one folder for this run, ``root/version_N``."""
    csv = CSVLogger(root, name="")
    loggers: list[Logger] = [csv, TensorBoardLogger(root, name="", version=f"version_{csv.version}")]
    if mode != "off":
        loggers.append(start_wandb(csv.log_dir, mode))
    return loggers


def start_wandb(folder: str, mode: WandbMode) -> WandbLogger:
    """Start a run of Weights & Biases in a new folder, so that a missing key or network is found before training.

    Raises:
        UserError: If it cannot start; the folder is taken away again.
    """
    logger = WandbLogger(save_dir=folder, project="slimgan", mode=mode)
    rank_zero_only(os.makedirs)(folder, exist_ok=True)
    try:
        _ = logger.experiment
    except (wandb.errors.Error, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        reason = str(error).split("\n")[0].rstrip(".")
        raise UserError(
            f"Weights & Biases cannot start ({reason}); run `wandb login`, or give --wandb offline"
        ) from error
    return logger
