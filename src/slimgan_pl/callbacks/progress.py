"""Progress of training, counted in iterations."""

import sys
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["IterationProgress"]

PLAIN_LINES = 20  # lines for a whole run where the output is no terminal


class IterationProgress(ProgressBar):
    """One bar for the whole run, with the losses; a line now and then where the output is no terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._progress: Progress | None = None

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        total = trainer.estimated_stepping_batches
        self._total = int(total) if total != float("inf") else None
        if not (self._enabled and trainer.is_global_zero):
            return
        if not sys.stdout.isatty():
            return
        self._progress = Progress(
            TextColumn("Training"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
        )
        self._task = self._progress.add_task("", total=self._total, completed=trainer.global_step, losses="")
        self._progress.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if not (self._enabled and trainer.is_global_zero):
            return
        iteration = trainer.global_step
        if self._progress is not None:
            self._progress.update(self._task, completed=iteration)
            if iteration % 10 == 0:
                self._progress.update(self._task, losses=self._losses(trainer))
        elif iteration % max(1, (self._total or 100_000) // PLAIN_LINES) == 0:
            total = "" if self._total is None else f"/{self._total}"
            print(f"Iteration {iteration}{total}: {self._losses(trainer)}", flush=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _losses(self, trainer: Trainer) -> str:
        names = {"discriminator_loss": "D", "generator_loss": "G", "distillation_loss": "distill"}
        metrics = trainer.progress_bar_metrics
        return "  ".join(f"{short} {metrics[name]:.3f}" for name, short in names.items() if name in metrics)
