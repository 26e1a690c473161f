"""Last lines of a run: paths and commands to type next."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.callbacks.results import ResultsTable
from slimgan_pl.callbacks.samples import SampleGrid
from slimgan_pl.runs.lightning_internals import callbacks_of, run_folder
from slimgan_pl.runs.next_steps import commands_to_trust, next_commands, paths_table, shorten_path
from slimgan_pl.utils.terminal import typed_command

__all__ = ["ClosingLines"]

say = rank_zero_only(print)


class ClosingLines(Callback):
    """Print paths of files after an evaluation, and commands after training.

    Give it to the trainer after the callbacks that write these files.
    """

    def __init__(self) -> None:
        self._has_trained = False

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._has_trained = True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.state.fn == "validate":
            self._say_paths(trainer)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._say_paths(trainer)
        checkpoints = callbacks_of(trainer, IterationCheckpoint)
        if self._has_trained and not any(checkpoint.is_astray for checkpoint in checkpoints):
            path = checkpoints[0].last_path if checkpoints else None
            has_evaluator = getattr(pl_module, "evaluator", None) is not None
            data = getattr(trainer, "datamodule", None)
            to_trust = commands_to_trust(dict(pl_module.hparams), None if data is None else dict(data.hparams))
            say(next_commands(path, run_folder(trainer).path, has_evaluator, typed_command(), to_trust))

    def _say_paths(self, trainer: Trainer) -> None:
        paths = {}
        if self._has_trained:
            run = run_folder(trainer)  # which the processes tell each other
            paths = {"Run": run.path, "Configuration": run.config if run.config.is_file() else None}
        writers = {"Checkpoint": IterationCheckpoint, "Results": ResultsTable, "Picture": SampleGrid}
        for name, kind in writers.items():
            found: list[Any] = callbacks_of(trainer, kind)
            paths[name] = found[0].last_path if found else None
        say(paths_table(paths))
        for checkpoint in callbacks_of(trainer, IterationCheckpoint) if self._has_trained else ():
            if checkpoint.best is not None and checkpoint.best.path is not None:
                say(f"Best: {checkpoint.best.describe()}: {shorten_path(checkpoint.best.path)}")
