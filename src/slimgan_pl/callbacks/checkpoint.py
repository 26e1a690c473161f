"""Whole or absent checkpoints, from which a run resumes exactly."""

import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.utilities import rank_zero_only

from slimgan_pl.callbacks.best_checkpoint import BestCheckpoint
from slimgan_pl.callbacks.nonfinite import NonFiniteError, check_state
from slimgan_pl.errors import SlimGANError, SlimGANWarning, check_range
from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.runs.checkpoint_io import AtomicCheckpointIO
from slimgan_pl.runs.folder import LAST, name_checkpoint
from slimgan_pl.runs.lightning_internals import evaluation_follows, run_folder
from slimgan_pl.training.evaluate import EvaluatedModule
from slimgan_pl.training.monitors import check_best
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.files import reason_of

__all__ = ["IterationCheckpoint"]


class IterationCheckpoint(Checkpoint):
    """Save ``checkpoints/last.ckpt`` at intervals, before each evaluation and at the end.

    With ``monitor``, the checkpoint of the best evaluation stays as ``checkpoints/best.ckpt``. It is a copy of the file
    that was saved before that evaluation, so its results name its checksum. The record of the best belongs to the run's
    folder: a new run from a checkpoint begins its own.

    A state that is not finite never replaces one that is: it ends the run with a SlimGANError, the checkpoints before
    it stay, and it is kept beside them as ``nonfinite.ckpt``. Where the system refuses a save, training continues and
    the old checkpoint stays; the last save then goes to the system's temporary folder.

    Args:
        every_n_iterations: Iterations between two saves.
        keep_every_n_iterations: Iterations between two checkpoints that stay, as ``iteration_012000.ckpt``; None keeps
            no other than the last.
        monitor: Metric by which the best checkpoint is kept: ``fid`` is the mean over the widths, ``fid/0.5`` that of
            one width.
        patience: Evaluations without a better value after which training ends; None never ends it early.

    Raises:
        SlimGANError: If a number is less than 1, there is no such metric, or patience without one.
    """

    def __init__(
        self,
        every_n_iterations: int = 1000,
        keep_every_n_iterations: int | None = None,
        monitor: str | None = None,
        patience: int | None = None,
    ) -> None:
        check_range("the checkpoint's every_n_iterations", every_n_iterations, 1)
        if keep_every_n_iterations is not None:
            check_range("the checkpoint's keep_every_n_iterations", keep_every_n_iterations, 1)
        self.every_n_iterations = every_n_iterations
        self.keep_every_n_iterations = keep_every_n_iterations
        if monitor is None and patience is not None:
            raise SlimGANError(
                "the checkpoint's patience waits for a better value of a metric; name one, such as "
                "--checkpoint.monitor fid, or leave the patience out"
            )
        self.best = None if monitor is None else BestCheckpoint(monitor, patience)
        self.last_path: Path | None = None
        self.saved_at: int | None = None
        self.is_astray = False  # the last save is not in the run's folder
        self._is_stale = False  # an evaluation has ended since the last save
        self._due: list[str] = []  # files to save within the evaluation that follows, before it evaluates

    @property
    def best_model_path(self) -> str:
        """Path of the best checkpoint, or nothing; ``Trainer.test(ckpt_path="best")`` reads it."""
        return "" if self.best is None else str(self.best.path or "")

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if trainer.state.fn == "fit" and trainer.ckpt_path is not None:
            self.last_path, self.saved_at = Path(trainer.ckpt_path), checkpoint["global_step"]

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.best is not None:
            self.best.start(trainer, self.saved_at)
            trainer.should_stop |= self.best.is_exhausted

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.best is not None and isinstance(pl_module, SlimGAN):
            every: float | None = trainer.val_check_batch  # None: at intervals of time
            is_evaluated = trainer.enable_validation and (every or 0) < trainer.estimated_stepping_batches
            check_best(self.best.monitor, pl_module, is_evaluated)
        if trainer.global_step > 0 and trainer.num_training_batches != float("inf"):
            count_again(trainer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        iteration = trainer.global_step
        names = [LAST] if iteration % self.every_n_iterations == 0 else []
        if self.keep_every_n_iterations and iteration % self.keep_every_n_iterations == 0:
            names.append(name_checkpoint(iteration))
        if evaluation_follows(trainer):
            # NOTE: a run resumes behind the evaluation from a save made here, and with it from one made within it.
            self._due = list(dict.fromkeys([LAST, *names]))
            return
        for name in names:
            self._save(trainer, name)

    def on_validation_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if self._due:
            with within_evaluation(trainer):
                for name in self._due:
                    self._save(trainer, name)
            self._due = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._is_stale = True
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._keep_best(trainer, pl_module)

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.ckpt_path is None and self.saved_at == trainer.global_step:  # at the end of training
            self._keep_best(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.save_now(trainer)
        is_early = trainer.global_step < trainer.estimated_stepping_batches
        if self.best is not None and self.best.is_exhausted and is_early:
            rank_zero_only(print)(
                f"Stopped after iteration {trainer.global_step:,}: {self.best.describe_end()}; to go further, resume "
                "with --ckpt_path last and a higher --checkpoint.patience"
            )

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if isinstance(exception, NonFiniteError):
            path = run_folder(trainer).nonfinite_checkpoint
            with suppress(SlimGANError, OSError):  # such statistics cannot be measured, or the disk is full
                trainer.save_checkpoint(path)
                rank_zero_only(print)(f"What went wrong: {path}")

    def save_now(self, trainer: Trainer) -> None:
        """Save the run if it has changed, if need be elsewhere."""
        if self._is_stale or self.saved_at != trainer.global_step:
            self._save(trainer, LAST, is_final=True)

    def _keep_best(self, trainer: Trainer, model: LightningModule) -> None:
        if self.best is None or not isinstance(model, EvaluatedModule) or model.results is None:
            return
        saved = self.last_path if self.saved_at == trainer.global_step else None
        self.best.compare(trainer, EvaluationResults.from_json(model.results), saved)
        trainer.should_stop |= self.best.is_exhausted

    def state_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints."""
        return {} if self.best is None else self.best.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        if self.best is not None:
            self.best.load_state_dict(state_dict)

    def has_no_patience(self, checkpoint: Mapping[str, Any]) -> bool:
        """Return whether the run of a checkpoint ended because it no longer improved."""
        state = checkpoint["callbacks"].get(self.state_key)
        if self.best is None or state is None:
            return False
        self.load_state_dict(state)
        return self.best.is_exhausted

    def _save(self, trainer: Trainer, name: str, is_final: bool = False) -> None:
        check_state(trainer, trainer.lightning_module)
        for logger in trainer.loggers:
            logger.save()  # a checkpoint never is ahead of its logs
        path = run_folder(trainer).checkpoints / name
        failures: list[Path | None] = []

        def on_failure(checkpoint: dict[str, Any], error: OSError) -> None:
            warnings.warn(f"{path} could not be saved ({reason_of(error)}); {self._advice()}", SlimGANWarning, 2)
            failures.append(save_elsewhere(checkpoint) if is_final else None)

        options = on_failure if isinstance(trainer.strategy.checkpoint_io, AtomicCheckpointIO) else None
        trainer.save_checkpoint(path, storage_options=options)
        self._is_stale = False
        saved: Path | None = trainer.strategy.broadcast(failures[0] if failures else path)
        if name == LAST:
            self.is_astray = saved != path
            if saved is not None:
                self.last_path, self.saved_at = saved, trainer.global_step

    def _advice(self) -> str:
        kept = "there is no checkpoint yet" if self.saved_at is None else f"that of iteration {self.saved_at} stays"
        return f"{kept}, and training continues: make room or give write access there before the next save"


@contextmanager
def within_evaluation(trainer: Trainer) -> Iterator[None]:
    """Count the evaluation's batch as started, so that resuming evaluates again."""
    progress: Any = trainer.fit_loop.epoch_loop.val_loop.batch_progress
    progress.increment_started()
    yield
    for counts in (progress.total, progress.current):
        counts.started -= 1


def count_again(trainer: Trainer) -> None:
    """Set the counts of epochs that Lightning loses when resuming.

    It loses them where a run resumes at an epoch's end, within an evaluation or after one that ended training.
    """
    loop = trainer.fit_loop
    is_evaluating = loop.epoch_loop.val_loop.restarted_mid_evaluation  # it belongs to the epoch before
    is_pending = is_evaluating or (loop.epoch_loop.restarted_on_last and evaluation_follows(trainer))
    done = (trainer.global_step - is_pending) // int(trainer.num_training_batches)
    begun = done + (loop.restarted_mid_epoch or loop.restarted_on_epoch_end)  # otherwise Lightning begins the next
    if is_pending:
        loop.epoch_loop._batches_that_stepped = trainer.global_step - 1  # NOTE: Lightning counts the last one again
    progress: Any
    if is_evaluating:
        progress = loop.epoch_loop.val_loop.batch_progress.total
        progress.ready = progress.started = progress.completed
    for progress in (loop.epoch_progress.total, loop.epoch_progress.current):
        progress.ready = progress.started = begun
        progress.processed = progress.completed = done


def save_elsewhere(checkpoint: dict[str, Any]) -> Path | None:
    """Save into the temporary folder and return the path, or None."""
    with suppress(OSError):
        path = Path(tempfile.mkdtemp(prefix="slimgan-")) / LAST
        AtomicCheckpointIO().save_checkpoint(checkpoint, path)
        return path
    return None
