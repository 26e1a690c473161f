"""Files of a run; a missing one becomes a note."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import EvaluationResults, read_results
from slimgan_pl.runs.curves import read_metrics
from slimgan_pl.runs.evaluations import find_results
from slimgan_pl.runs.folder import RunFolder
from slimgan_pl.runs.next_steps import shorten_path
from slimgan_pl.runs.resume import find_stopped_run
from slimgan_pl.utils.weights import Weights
from slimgan_pl.utils.yaml_files import read_config

__all__ = ["RunFiles", "find_run", "read_run"]


@dataclass
class RunFiles:
    """Content of the files of a run.

    Attributes:
        name: Its name on the page.
        checkpoint: Its newest whole checkpoint.
        results: Its metrics, of the end or of the last evaluation.
        history: All its evaluations of the same weights, by iteration.
        metrics: Rows of its log, each a number per column.
        settings: Its configuration; ``settings_text`` is the file's text.
        date: Time when it was last saved or evaluated.
        notes: A sentence for each missing thing.
    """

    name: str
    folder: Path
    checkpoint: Path | None = None
    iteration: int | None = None
    results: EvaluationResults | None = None
    history: list[EvaluationResults] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    settings_text: str = ""
    date: datetime | None = None
    notes: list[str] = field(default_factory=list)


def find_run(run: str) -> Path:
    """Return the folder of a run, or of its newest version.

    Raises:
        SlimGANError: If there is no run.
    """
    root = Path(run)
    if not root.is_dir():
        raise SlimGANError(f"there is no folder {run}; name the folder of a run, such as runs/digits")
    newest = RunFolder.newest(root)
    if newest is not None:
        return newest.path
    raise SlimGANError(f"there is nothing of a run in {run}; name a folder that slimgan fit has filled")


def read_run(folder: Path, name: str, weights: Weights = "averaged") -> RunFiles:
    """Read the files of a run.

    Args:
        folder: Its folder.
        name: Its name on the page.
        weights: Which weights the metrics are of: averaged ones where there are any, or the raw ones.
    """
    run = RunFiles(name, folder)
    add_checkpoint(run)
    add_results(run, weights)
    add_settings(run)
    path = RunFolder(folder).metrics
    try:
        run.metrics = read_metrics(path) if path.is_file() else []
        if not run.metrics:
            run.notes.append("There is no metrics.csv, so there are no curves of the training.")
        elif not any(column.startswith("generator_loss") for row in run.metrics for column in row):
            run.notes.append("There are no losses in metrics.csv, so there are no curves of the training.")
    except SlimGANError as error:
        run.notes.append(f"No curves: {error}.")
    return run


def add_checkpoint(run: RunFiles) -> None:
    """Find the newest whole checkpoint."""
    found = find_stopped_run(RunFolder(run.folder))
    if found is None:
        run.notes.append("There is no checkpoint, so no pictures are made and no latency is measured.")
        return
    run.checkpoint, run.iteration = found.checkpoint, found.iteration
    run.date = date_of(found.checkpoint)


def add_results(run: RunFiles, weights: Weights) -> None:
    """Read the evaluations of the same weights; the newest represents the run."""
    note = "the results have no widths"
    try:
        final: EvaluationResults | None = read_results(find_results(run.folder, weights))
    except SlimGANError as error:
        final, note = None, str(error)
    by_iteration: dict[int | None, EvaluationResults] = {}
    for path in RunFolder(run.folder).evaluations().values():
        try:
            results = read_results(path)
        except SlimGANError as error:
            run.notes.append(f"An evaluation is left out: {error}.")
        else:
            by_iteration[results.iteration] = results
    if final is not None:
        by_iteration[final.iteration] = final
    found = [by_iteration[iteration] for iteration in sorted(by_iteration, key=lambda number: number or 0)]
    shown = "raw" if weights == "raw" or not found else found[-1].weights
    of_these = [results for results in found if results.weights == shown]
    run.history = [results for results in of_these if any(row.width is not None for row in results.rows)]
    if found and not of_these and run.checkpoint is not None:
        checkpoint = quote(shorten_path(run.checkpoint))
        note = f"none are of raw weights; slimgan test --ckpt_path {checkpoint} --weights raw makes some"
    if not run.history:
        run.notes.append(f"No metrics: {note}.")
        return
    run.results = run.history[-1]
    evaluated = run.results.iteration or 0
    if run.results is not final:
        run.notes.append("It was not evaluated at its end; the metrics are those of its last evaluation.")
    if run.iteration is None:
        run.iteration = evaluated
    elif run.iteration != evaluated:
        run.notes.append(f"The metrics are of iteration {evaluated:,}, the pictures of iteration {run.iteration:,}.")
    path = RunFolder(run.folder).results
    if path.is_file():
        run.date = max(filter(None, (run.date, date_of(path))))


def add_settings(run: RunFiles) -> None:
    """Read the configuration."""
    path = RunFolder(run.folder).config
    try:
        run.settings = read_config(path)
        run.settings_text = path.read_text(encoding="utf-8")
    except OSError:
        run.notes.append("There is no config.yaml, so the settings are not known.")
    except SlimGANError as error:
        run.notes.append(f"No settings: {error}.")


def date_of(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime)
