"""Callbacks, next evaluation and files of a Lightning trainer."""

from pathlib import Path
from typing import Any, TypeVar

from lightning.pytorch import Callback, Trainer

from slimgan_pl.runs.folder import RunFolder, path_beside

__all__ = ["callbacks_of", "evaluation_follows", "find_evaluated_run", "output_path", "run_folder"]

CallbackType = TypeVar("CallbackType", bound=Callback)


def callbacks_of(trainer: Trainer, kind: type[CallbackType]) -> list[CallbackType]:
    """Return a trainer's callbacks of a class."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return [callback for callback in callbacks if isinstance(callback, kind)]


def evaluation_follows(trainer: Trainer) -> bool:
    """Return whether validation follows the iteration that has just ended."""
    loop: Any = trainer.fit_loop
    return bool(loop.epoch_loop._should_check_val_fx(loop._data_fetcher))  # NOTE: Lightning has no public way


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

    ``slimgan test --ckpt_path last.ckpt`` writes ``last.test.json`` beside ``last.ckpt``; training writes ``in_run``.
    """
    if trainer.ckpt_path and trainer.state.fn is not None and trainer.state.fn != "fit":
        return path_beside(trainer.ckpt_path, trainer.state.fn.value, in_run.suffix)
    return in_run
