"""Checkpoint of a run's best evaluation, and the end of a run that no longer improves."""

import math
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer

from slimgan_pl.errors import SlimGANError, check_range
from slimgan_pl.evaluation.monitored_metric import MonitoredMetric
from slimgan_pl.evaluation.results import EvaluationResults, read_results
from slimgan_pl.runs.folder import RunFolder
from slimgan_pl.runs.lightning_internals import run_folder
from slimgan_pl.utils.files import continuing_without, file_sha256, replacing

__all__ = ["BestCheckpoint"]


class BestCheckpoint:
    """Record of a run's best evaluation by one metric, and its checkpoint ``best.ckpt``.

    Args:
        monitor: Name of the metric.
        patience: Evaluations without a better value after which training ends; None never ends it early.

    Attributes:
        results: Results of the checkpoint that is kept, or None where there is none.
        path: Its file, or None.
        leader: Results of the best evaluation, whose checkpoint the system may have refused to save, or None.
        waited: Number of evaluations since the last better one.

    Raises:
        SlimGANError: If there is no such metric, or the patience is less than 1.
    """

    def __init__(self, monitor: str, patience: int | None = None) -> None:
        if patience is not None:
            check_range("the checkpoint's patience", patience, 1)
        self.monitor, self.patience = monitor, patience
        self.metric = MonitoredMetric.named(monitor)
        self.reset()

    def reset(self) -> None:
        """Forget the best evaluation."""
        self.results: EvaluationResults | None = None
        self.path: Path | None = None
        self.leader: EvaluationResults | None = None
        self.waited = 0

    def start(self, trainer: Trainer, saved_at: int | None) -> None:
        """Take over the record of the run that is resumed; all processes must call this together.

        Args:
            trainer: Trainer whose checkpoint is loaded.
            saved_at: Iteration of that checkpoint.
        """
        run = run_folder(trainer)
        if trainer.ckpt_path is None or RunFolder.of(trainer.ckpt_path).path.resolve() != run.path.resolve():
            self.reset()  # of a new run
            return
        if not run.best_checkpoint.is_file():
            self.results = None
        elif self.results is not None:
            self.path = run.best_checkpoint
        with suppress(OSError, SlimGANError, AttributeError):  # missing or damaged
            results = read_results(run.results)
            if results.iteration == saved_at:  # a run that ended here was evaluated once more, after its last save
                self._take_end(results, run.best_checkpoint)
        kept: tuple[dict[str, Any], Path | None] = trainer.strategy.broadcast((self.state_dict(), self.path))
        self.load_state_dict(kept[0])
        self.path = kept[1]

    def _take_end(self, results: EvaluationResults, path: Path) -> None:
        """Take the evaluation at a run's end; the file is its checkpoint if it has the same checksum."""
        if self.is_improvement(results, self.leader):
            self.leader, self.waited = results, 0
        is_improved = self.is_improvement(results, self.results)
        if is_improved and results.provenance.get("checkpoint", {}).get("sha256") == file_sha256(path):
            self.results, self.path = results, path

    def compare(self, trainer: Trainer, results: EvaluationResults, saved: Path | None) -> None:
        """Keep an evaluated checkpoint if it is the best; all processes must call this together.

        Args:
            trainer: Trainer of the run.
            results: The evaluation, of which that of process 0 decides.
            saved: Checkpoint of the same state; None where the system refused to save it.
        """
        path = run_folder(trainer).best_checkpoint
        is_better = is_kept = False
        if trainer.is_global_zero:
            is_better = self.is_improvement(results, self.leader)
            is_kept = self.is_improvement(results, self.results) and saved is not None and copy_whole(saved, path)
        is_better, is_kept = trainer.strategy.broadcast((is_better, is_kept))
        self.waited = 0 if is_better else self.waited + 1
        if is_better:
            self.leader = results
        if is_kept:
            self.results, self.path = results, path

    def is_improvement(self, results: EvaluationResults, best: EvaluationResults | None) -> bool:
        """Return whether an evaluation is better than the best so far.

        NaN and infinity never are. A finite one by another protocol or extractor than that of the best is.
        """
        value = math.nan if best is None or not best.is_comparable(results) else self.metric.value(best)
        return self.metric.is_better(self.metric.value(results), value)

    @property
    def is_exhausted(self) -> bool:
        """Whether the evaluations without a better value use up the patience."""
        return self.patience is not None and self.waited >= self.patience

    def describe_end(self) -> str:
        """Return why the patience is used up."""
        since = "" if self.leader is None else f" than at iteration {self.leader.iteration:,}"
        evaluations = f"{self.waited} evaluation{'s' * (self.waited != 1)}"
        return f"{self.monitor} is no better{since} after {evaluations}"

    def describe(self) -> str | None:
        """Return iteration and value of the best, if there is one."""
        if self.results is None or self.results.iteration is None:
            return None
        return f"iteration {self.results.iteration:,}, {self.metric.describe(self.results)}"

    def state_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints."""
        records = {"best": self.results, "leader": self.leader}
        documents = {name: None if results is None else results.to_json() for name, results in records.items()}
        return {**documents, "monitor": self.monitor, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a checkpoint; by another metric the patience begins anew."""
        self.results, self.leader = (
            None if document is None else EvaluationResults.from_json(document, "the checkpoint")
            for document in (state["best"], state.get("leader", state["best"]))
        )
        self.waited = state["waited"]
        if state.get("monitor", self.monitor) != self.monitor:
            self.leader, self.waited = self.results, 0


def copy_whole(source: Path, target: Path) -> bool:
    """Copy a checkpoint whole or not at all; return whether it is there."""
    if source == target:  # from which the run has just resumed
        return True
    with continuing_without(f"the best checkpoint {target}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as content, replacing(target) as file:
            shutil.copyfileobj(content, file)
        return True
    return False
