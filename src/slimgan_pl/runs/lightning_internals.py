"""Callbacks, next evaluation and files of a Lightning trainer."""

from pathlib import Path
from typing import Any, TypeVar

from lightning.pytorch import Callback, Trainer

from slimgan_pl.runs.folder import RunFolder, path_beside
from slimgan_pl.training.sampled import SampledModule

__all__ = [
    "callbacks_of",
    "evaluation_follows",
    "evaluation_times",
    "find_evaluated_run",
    "output_path",
    "run_folder",
]

MOST_ITERATIONS = 10**8  # a larger interval between validations means none, as in the defaults of the command

CallbackType = TypeVar("CallbackType", bound=Callback)


def callbacks_of(trainer: Trainer, kind: type[CallbackType]) -> list[CallbackType]:
    """Return a trainer's callbacks of a class."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return [callback for callback in callbacks if isinstance(callback, kind)]


def evaluation_follows(trainer: Trainer) -> bool:
    """Return whether validation follows the iteration that has just ended."""
    loop: Any = trainer.fit_loop
    return bool(loop.epoch_loop._should_check_val_fx(loop._data_fetcher))  # NOTE: Lightning has no public way


def evaluation_times(trainer: Trainer) -> str:
    """Return when validations come, such as ``every 300 iterations``, or nothing."""
    if not trainer.enable_validation:
        return ""
    every: float | None = trainer.val_check_batch
    if every is None:
        return "at intervals of time"
    every *= trainer.check_val_every_n_epoch or 1
    return f"every {every:,.0f} iterations" if every <= min(trainer.estimated_stepping_batches, MOST_ITERATIONS) else ""


def run_folder(trainer: Trainer) -> RunFolder:
    """Return the run's folder; all processes must call this together."""
    return RunFolder(Path(trainer.log_dir or trainer.default_root_dir))


def find_evaluated_run(trainer: Trainer) -> RunFolder:
    """Return the run of the evaluated checkpoint, or the trainer's own."""
    if trainer.ckpt_path and trainer.state.fn != "fit":
        return RunFolder.of(trainer.ckpt_path)
    return run_folder(trainer)


def output_path(trainer: Trainer, in_run: Path) -> Path:
    """Return the place of an evaluation's file.

    ``slimgan test --ckpt_path last.ckpt`` writes ``last.test.json`` beside ``last.ckpt``, or ``last.raw.test.json`` for
    the raw weights of a net with averaged ones; training writes ``in_run``.
    """
    if not trainer.ckpt_path or trainer.state.fn in (None, "fit"):
        return in_run
    model, command = trainer.lightning_module, trainer.state.fn.value
    skips_average = isinstance(model, SampledModule) and model.skips_average
    return path_beside(trainer.ckpt_path, f"raw.{command}" if skips_average else command, in_run.suffix)
