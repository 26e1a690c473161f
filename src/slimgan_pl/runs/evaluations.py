"""Evaluations in the folder of a run, and its best checkpoint."""

from contextlib import suppress
from functools import reduce
from pathlib import Path

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.monitored_metric import MonitoredMetric
from slimgan_pl.evaluation.results import EvaluationResults, read_results
from slimgan_pl.runs.folder import RunFolder, path_beside
from slimgan_pl.utils.files import file_sha256
from slimgan_pl.utils.weights import Weights

__all__ = ["evaluations_before", "find_best_checkpoint", "find_results"]


def evaluations_before(folder: Path, results: EvaluationResults) -> list[EvaluationResults]:
    """Return a run's earlier evaluations of the same weights by the same protocol, in order.

    A folder of images has none.
    """
    found: dict[int, EvaluationResults] = {}
    for path in RunFolder(folder).evaluations().values() if results.iteration is not None else []:
        with suppress(OSError, SlimGANError):  # a damaged file counts as missing
            earlier = read_results(path)
            if earlier.weights == results.weights and earlier.iteration is not None and earlier.is_comparable(results):
                found[earlier.iteration] = earlier
    return [found[iteration] for iteration in sorted(found) if iteration < (results.iteration or 0)]


def find_results(run: str | Path, weights: Weights = "averaged") -> Path:
    """Return the place of a run's newest results, which need not exist.

    Args:
        run: The file of results, the run's folder, or a folder of versions, of which the newest with results counts.
        weights: The weights that they are of. With ``averaged``, those of raw weights count where there is no average.
    """
    root = Path(run)
    if not root.is_dir():
        return root
    for folder in (RunFolder(root), *RunFolder.versions(root)):
        places = (folder.results, *(path_beside(folder.checkpoint, command) for command in ("test", "raw.test")))
        found = {place: read_whole(place) for place in places if place.is_file()}
        is_averaged = any(results is not None and results.weights == "averaged" for results in found.values())
        if those := [
            place for place, results in found.items() if results is None or is_of(results, weights, is_averaged)
        ]:
            return max(those, key=lambda file: file.stat().st_mtime)
    return (RunFolder.newest(root) or RunFolder(root)).results


def read_whole(place: Path) -> EvaluationResults | None:
    """Return results, or None for a damaged file."""
    with suppress(SlimGANError, OSError):
        return read_results(place)
    return None


def is_of(results: EvaluationResults, weights: Weights, is_averaged: bool) -> bool:
    """Return whether results are of the weights asked for.

    ``is_averaged`` says whether some results of the run are of averaged weights.
    """
    has_average = is_averaged if results.has_average is None else results.has_average
    return results.weights == (weights if has_average else "raw")


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
