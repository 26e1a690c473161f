"""Ending a run in good order when a signal asks for it."""

import os
import signal
import time
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, NoReturn

from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.runs.lightning_internals import callbacks_of, evaluation_follows
from slimgan_pl.training.iteration import Status
from slimgan_pl.training.module import TrainedModule
from slimgan_pl.utils.signals import Interrupted, interrupt, on_signals

__all__ = ["StopOnSignal"]

PATIENCE = 3.0  # seconds after which the next signal is meant to end the run at once: launchers pass on one twice


class StopOnSignal(Callback):
    """Finishes the iteration, saves and raises Interrupted when SIGINT, SIGTERM or SIGHUP arrives, on all processes.

    During an evaluation, before which the run was saved, it is raised at once.
    """

    def __init__(self) -> None:
        self._model: TrainedModule | None = None
        self._asked_at = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if isinstance(pl_module, TrainedModule):
            self._model = pl_module
            pl_module.asked_to_stop = 0
            on_signals(self._note)  # in place of Lightning's, which sends a message from within the handler

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if isinstance(pl_module, TrainedModule) and not evaluation_follows(trainer):
            asked = pl_module.asked_to_stop
            if trainer.world_size > 1:  # they have to agree: what one of them knows the next iteration tells all
                report = pl_module.settled_report
                asked = 0 if report is None else round(Status(*report.status.tolist()).asked * trainer.world_size)
            if asked:
                pl_module.after_iteration = partial(self._stop, trainer, pl_module)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        on_signals(interrupt)

    on_test_start = on_validation_start

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.state.fn != "fit" or not isinstance(pl_module, TrainedModule):
            return
        if trainer.strategy.reduce_boolean_decision(bool(pl_module.asked_to_stop), all=False):
            self._stop(trainer, pl_module)  # the run is saved by now

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.state.fn == "fit":
            on_signals(self._note)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        on_signals(interrupt)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        assert self._model is not None
        if self._model.asked_to_stop and time.monotonic() - self._asked_at > PATIENCE:
            raise Interrupted(signum)
        if not self._model.asked_to_stop:
            self._model.asked_to_stop, self._asked_at = signum, time.monotonic()
            if self._model.global_rank == 0:  # unbuffered: a handler may interrupt a print
                name = signal.Signals(signum).name
                with suppress(OSError):  # a terminal that is gone
                    os.write(2, f"slimgan: {name}: saving after this iteration; once more ends it at once\n".encode())

    def _stop(self, trainer: Trainer, model: TrainedModule) -> NoReturn:
        paths = []
        for checkpoint in callbacks_of(trainer, IterationCheckpoint):
            checkpoint.save_now(trainer)
            paths.append(checkpoint.last_path)
        signum = model.asked_to_stop or signal.SIGTERM
        stopped = f"stopped by {signal.Signals(signum).name} after iteration {trainer.global_step}"
        saved = f"; saved in {paths[0]}: go on with --ckpt_path last" if paths and paths[0] else ""
        raise Interrupted(signum, f"{stopped}{saved}")
