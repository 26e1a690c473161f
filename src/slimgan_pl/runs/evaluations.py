"""Evaluations in the folder of a run, and its best checkpoint."""

from contextlib import suppress
from functools import reduce
from pathlib import Path

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.monitored_metric import MonitoredMetric
from slimgan_pl.evaluation.results import EvaluationResults, read_results
from slimgan_pl.runs.folder import RunFolder
from slimgan_pl.utils.files import file_sha256

__all__ = ["evaluations_before", "find_best_checkpoint"]


def evaluations_before(folder: Path, results: EvaluationResults) -> list[EvaluationResults]:
    """Return a run's earlier evaluations by the same protocol, in order.

    A folder of images has none.
    """
    found: dict[int, EvaluationResults] = {}
    for path in RunFolder(folder).evaluations().values() if results.iteration is not None else []:
        with suppress(OSError, SlimGANError):  # a damaged file counts as missing
            earlier = read_results(path)
            if earlier.iteration is not None and earlier.is_comparable(results):
                found[earlier.iteration] = earlier
    return [found[iteration] for iteration in sorted(found) if iteration < (results.iteration or 0)]


def find_best_checkpoint(root: Path) -> Path:
    """Return the best checkpoint of the newest run in a folder.

    It is ``best.ckpt``, which a run with a monitored metric writes. Without one, it is the best that the run has kept
    and evaluated, by the mean over the widths of the results' first metric, which is FID unless it was left out.

    Raises:
        SlimGANError: If no checkpoint that the run has kept was evaluated.
    """
    run = RunFolder.newest(root) or RunFolder(root)
    if run.best_checkpoint.is_file():
        return run.best_checkpoint
    found = evaluated_checkpoints(run)
    newest = found[-1][1] if found else None
    if newest is None or not newest.columns:
        raise SlimGANError(
            f"there is no best checkpoint in {run}: it keeps none that was evaluated; give a path, or train with "
            "--checkpoint.monitor fid and --trainer.val_check_interval"
        )
    metric = MonitoredMetric(newest.columns[0])
    values = {path: metric.value(results) for path, results in found if results.is_comparable(newest)}
    return reduce(lambda best, path: path if metric.is_better(values[path], values[best]) else best, values)


def evaluated_checkpoints(run: RunFolder) -> list[tuple[Path, EvaluationResults]]:
    """Return a run's checkpoints that were evaluated, with the results, in order."""
    found = []
    for iteration, path in run.kept_checkpoints().items():
        with suppress(OSError, SlimGANError):  # missing or damaged
            found.append((path, read_results(run.evaluation(iteration))))
    with suppress(OSError, SlimGANError, AttributeError):
        results = read_results(run.results)
        if results.provenance.get("checkpoint", {}).get("sha256") == file_sha256(run.checkpoint):
            found.append((run.checkpoint, results))
    return found
