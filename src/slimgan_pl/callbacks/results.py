"""Results of an evaluation, printed as a table and saved as JSON."""

import json
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.callbacks.training_cost import TrainingCost
from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.evaluation.results_table import results_table
from slimgan_pl.runs.evaluations import evaluations_before
from slimgan_pl.runs.lightning_internals import callbacks_of, find_evaluated_run, output_path, run_folder
from slimgan_pl.training.evaluate import EvaluatedModule, ImageEvaluation
from slimgan_pl.utils.files import continuing_without, file_sha256, write_whole
from slimgan_pl.utils.terminal import print_whole

__all__ = ["ResultsTable"]


class ResultsTable(Callback):
    """Print the metrics of each evaluation, and save them as JSON.

    Attributes:
        last_path: File of the last evaluation, or None where there is none.
        is_unwritten: Whether the last evaluation could not be written.
    """

    def __init__(self) -> None:
        self.last_path: Path | None = None
        self.is_unwritten = False
        self._checkpoint: dict[str, str] | None = None

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if not trainer.is_global_zero or getattr(pl_module, "evaluator", None) is None:
            return
        checkpoint = find_evaluated_checkpoint(trainer)  # before the evaluation: the file of a resumed run may change
        self._checkpoint = None if checkpoint is None else {"file": checkpoint.name, "sha256": file_sha256(checkpoint)}

    on_test_batch_end = on_validation_batch_end  # type: ignore[assignment]

    def on_validation_end(self, trainer: Trainer, pl_module: EvaluatedModule) -> None:  # type: ignore[override]
        run = run_folder(trainer)
        path = run.evaluation(trainer.global_step) if trainer.state.fn == "fit" else output_path(trainer, run.results)
        self._report(trainer, pl_module, path)

    def on_test_end(self, trainer: Trainer, pl_module: EvaluatedModule) -> None:  # type: ignore[override]
        path = output_path(trainer, run_folder(trainer).results)
        if isinstance(pl_module, ImageEvaluation):
            folder = pl_module.root.resolve()
            path = folder.with_name(f"{folder.name}.test.json")
        self._report(trainer, pl_module, path)

    def _report(self, trainer: Trainer, model: EvaluatedModule, path: Path) -> None:
        if model.results is None:
            return
        costs = [callback.totals for callback in callbacks_of(trainer, TrainingCost)]
        training = None if isinstance(model, ImageEvaluation) or not costs else costs[0]
        document = {**model.results, "training": training, "checkpoint": self._checkpoint}
        results = EvaluationResults.from_json(document, path)
        run = find_evaluated_run(trainer).path  # which the processes tell each other
        if trainer.is_global_zero:
            print_whole(results_table(results, *evaluations_before(run, results)[-1:]))
            self.last_path = write_results(results, path)
            self.is_unwritten = self.last_path is None


def find_evaluated_checkpoint(trainer: Trainer) -> Path | None:
    """Return the evaluated weights' file, or None if there is none."""
    if trainer.ckpt_path and trainer.state.fn != "fit":
        return Path(trainer.ckpt_path)
    for callback in callbacks_of(trainer, IterationCheckpoint):
        return callback.last_path if callback.saved_at == trainer.global_step else None
    return None


def write_results(results: EvaluationResults, path: Path) -> Path | None:
    """Write results as JSON; return their path, or None after a warning."""
    with continuing_without(f"the results {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, f"{json.dumps(results.to_json(), indent=2)}\n".encode())
        return path
    return None
