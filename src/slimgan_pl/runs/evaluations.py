"""Evaluations in the folder of a run."""

from contextlib import suppress
from pathlib import Path

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import EvaluationResults, read_results
from slimgan_pl.runs.folder import RunFolder, find_results

__all__ = ["evaluations_before", "read_newest_results"]


def read_newest_results(run: str) -> EvaluationResults:
    """Read the newest results of a run.

    Args:
        run: The file of results, the run's folder, or a folder of versions, of which the newest with results counts.

    Raises:
        SlimGANError: If there are none, or they are broken.
    """
    return read_results(find_results(run))


def evaluations_before(folder: Path, results: EvaluationResults) -> list[EvaluationResults]:
    """Return a run's evaluations before ``results`` and by the same protocol, in order.

    Args:
        folder: The run's folder.
        results: Results of one iteration; a folder of images has none before.
    """
    found: dict[int, EvaluationResults] = {}
    for path in RunFolder(folder).evaluations().values() if results.iteration is not None else []:
        with suppress(OSError, SlimGANError):  # a damaged file counts as missing
            earlier = read_results(path)
            if earlier.iteration is not None and earlier.is_comparable(results):
                found[earlier.iteration] = earlier
    return [found[iteration] for iteration in sorted(found) if iteration < (results.iteration or 0)]
