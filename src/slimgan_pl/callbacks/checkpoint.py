"""Checkpoints that are whole or absent."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from slimgan_pl.callbacks.folders import run_folder
from slimgan_pl.callbacks.guards import check_finite
from slimgan_pl.errors import UserError
from slimgan_pl.files import replacing

__all__ = ["AtomicCheckpointIO", "IterationCheckpoint"]


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its target, syncs it and renames it, so that a kill never leaves half a file.

    Lightning's own writes into the temporary folder and moves the file, which on another filesystem copies it.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            torch.save(checkpoint, file)


class IterationCheckpoint(Checkpoint):
    """Saves the run as ``checkpoints/last.ckpt`` every so many iterations and at the end.

    What is not finite is never saved: it ends the run with a UserError, and the checkpoints from before it stay.

    Args:
        every_n_iterations: Iterations between two saves.
        keep_every_n_iterations: Iterations between two checkpoints that stay, as ``iteration_012000.ckpt``; by default
            none does.

    Raises:
        UserError: If a number is less than 1.
    """

    def __init__(self, every_n_iterations: int = 1000, keep_every_n_iterations: int | None = None) -> None:
        if min(every_n_iterations, keep_every_n_iterations or 1) < 1:
            raise UserError("a checkpoint interval has to be at least 1 iteration")
        self.every_n_iterations = every_n_iterations
        self.keep_every_n_iterations = keep_every_n_iterations
        self.last_path: Path | None = None
        self.saved_at: int | None = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        iteration = trainer.global_step
        if iteration % self.every_n_iterations == 0:
            self._save(trainer, "last.ckpt")
        if self.keep_every_n_iterations and iteration % self.keep_every_n_iterations == 0:
            self._save(trainer, f"iteration_{iteration:06d}.ckpt")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.saved_at != trainer.global_step:
            self._save(trainer, "last.ckpt")

    def _save(self, trainer: Trainer, name: str) -> None:
        check_finite(trainer, trainer.lightning_module)
        path = run_folder(trainer) / "checkpoints" / name
        trainer.save_checkpoint(path)
        if name == "last.ckpt":
            self.last_path, self.saved_at = path, trainer.global_step
