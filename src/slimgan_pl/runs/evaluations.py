"""Evaluations in the folder of a run."""

from contextlib import suppress
from pathlib import Path

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import EvaluationResults, read_results
from slimgan_pl.runs.folder import RunFolder

__all__ = ["evaluations_before"]


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
