"""Orderly end of a run on a signal."""

import os
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.runs.lightning_internals import callbacks_of, evaluation_follows
from slimgan_pl.training.module import TrainedModule
from slimgan_pl.utils.signals import Interrupted, interrupt, on_signals

__all__ = ["StopOnSignal"]

PATIENCE = 3.0  # seconds; a later signal ends the run at once, an earlier one is a launcher's copy of the first


class StopOnSignal(Callback):
    """Finish the iteration, save and raise Interrupted on a signal.

    Signals are SIGINT, SIGTERM and SIGHUP, of any process. During an evaluation, before which the run was saved, it is
    raised at once. Give it to the trainer as the last callback, so that the others finish the iteration.
    """

    def __init__(self) -> None:
        self._model: TrainedModule | None = None
        self._signum: int | None = None
        self._asked_at = 0.0  # seconds

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if isinstance(pl_module, TrainedModule):
            self._model = pl_module
            self._signum = None
            on_signals(self._note)  # in place of Lightning's handler, which communicates from within

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        if isinstance(pl_module, TrainedModule) and pl_module.is_stopping and not evaluation_follows(trainer):
            for checkpoint in trainer.checkpoint_callbacks:  # which Lightning would call last
                checkpoint.on_train_batch_end(trainer, pl_module, *args)
            self._stop(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        on_signals(interrupt)

    on_test_start = on_validation_start

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.state.fn != "fit" or not isinstance(pl_module, TrainedModule):
            return
        if trainer.strategy.reduce_boolean_decision(pl_module.is_asked_to_stop, all=False):
            self._stop(trainer)  # the run is saved by now

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.state.fn == "fit":
            on_signals(self._note)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        on_signals(interrupt)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        assert self._model is not None
        if self._signum and time.monotonic() - self._asked_at > PATIENCE:
            raise Interrupted(signum)
        if not self._signum:
            self._signum, self._asked_at = signum, time.monotonic()
            self._model.request_stop()
            if self._model.global_rank == 0:  # unbuffered: a handler may interrupt a print
                name = signal.Signals(signum).name
                with suppress(OSError):  # a terminal that is gone
                    os.write(2, f"slimgan: {name}: saving after this iteration; once more ends it at once\n".encode())

    def _stop(self, trainer: Trainer) -> NoReturn:
        saved = ""
        for checkpoint in callbacks_of(trainer, IterationCheckpoint):
            checkpoint.save_now(trainer)
            saved = f"; {describe_save(checkpoint, trainer.global_step)}"
        signum = self._signum or signal.SIGTERM
        stopped = f"stopped by {signal.Signals(signum).name} after iteration {trainer.global_step}"
        raise Interrupted(signum, f"{stopped}{saved}")


def describe_save(checkpoint: IterationCheckpoint, iteration: int) -> str:
    """Return where an iteration was saved, and how to resume it."""
    if checkpoint.saved_at != iteration:
        return "it could not be saved: resume the checkpoint before it with --ckpt_path last"
    last = checkpoint.last_path if checkpoint.is_astray else "last"  # the one in the temporary folder
    return f"saved in {checkpoint.last_path}: resume with --ckpt_path {last}"
