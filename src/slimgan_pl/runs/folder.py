"""Where a run's files go, and who writes them."""

from pathlib import Path
from typing import Any, TypeVar

from lightning.pytorch import Callback, Trainer

__all__ = ["NOT_SETTINGS", "callbacks_of", "evaluation_follows", "judged_folder", "output_path", "run_folder"]

NOT_SETTINGS = ("ckpt_path", "config", "trust_checkpoint", "verbose", "weights_only")

CallbackType = TypeVar("CallbackType", bound=Callback)


def callbacks_of(trainer: Trainer, kind: type[CallbackType]) -> list[CallbackType]:
    """Return a trainer's callbacks of a class."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return [callback for callback in callbacks if isinstance(callback, kind)]


def evaluation_follows(trainer: Trainer) -> bool:
    """Return whether validation comes right after this iteration, asked at its end."""
    loop: Any = trainer.fit_loop
    return bool(loop.epoch_loop._should_check_val_fx(loop._data_fetcher))  # NOTE: Lightning says it nowhere else


def run_folder(trainer: Trainer) -> Path:
    """Return the run's folder, the same on all processes, which all have to ask for it."""
    return Path(trainer.log_dir or trainer.default_root_dir)


def judged_folder(trainer: Trainer) -> Path:
    """Return the folder of the run that an evaluation is of: the checkpoint's where one is judged."""
    if trainer.ckpt_path and trainer.state.fn != "fit":
        return Path(trainer.ckpt_path).parent.parent
    return run_folder(trainer)


def output_path(trainer: Trainer, name: str) -> Path:
    """Return where a file of an evaluation goes: beside the checkpoint that is judged, else into the run's folder.

    So ``slimgan test --ckpt_path last.ckpt`` writes ``last.test.json`` beside ``last.ckpt``.
    """
    if trainer.ckpt_path and trainer.state.fn is not None and trainer.state.fn != "fit":
        return Path(trainer.ckpt_path).with_suffix(f".{trainer.state.fn.value}{Path(name).suffix}")
    return run_folder(trainer) / name
