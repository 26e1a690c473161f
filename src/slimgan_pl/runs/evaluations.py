"""Evaluations in the folder of a run."""

from contextlib import suppress
from pathlib import Path

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import EvaluationResults, read_results

__all__ = ["evaluations_before", "read_newest_results"]

PLACES = ("results.json", "checkpoints/last.test.json")  # in the folder of a run


def read_newest_results(run: str) -> EvaluationResults:
    """Read the newest results of a run.

    Args:
        run: The file of results, the run's folder, or a folder of versions, of which the newest with results counts.

    Raises:
        SlimGANError: If there are none, or they are broken.
    """
    path = Path(run)
    if not path.is_dir():
        return read_results(path)
    numbers = {folder: folder.name.removeprefix("version_") for folder in path.glob("version_*")}
    versions = sorted((folder for folder in numbers if numbers[folder].isdigit()), key=lambda f: int(numbers[f]))
    for folder in (path, *reversed(versions)):
        if found := [folder / place for place in PLACES if (folder / place).is_file()]:
            return read_results(max(found, key=lambda file: file.stat().st_mtime))
    return read_results(path / PLACES[0])


def evaluations_before(folder: Path, results: EvaluationResults) -> list[EvaluationResults]:
    """Return a run's evaluations before ``results`` and by the same protocol, in order.

    Args:
        folder: The run's folder.
        results: Results of one iteration; a folder of images has none before.
    """
    found: dict[int, EvaluationResults] = {}
    for path in sorted((folder / "results").glob("iteration_*.json")) if results.iteration is not None else []:
        with suppress(OSError, SlimGANError):  # a damaged file counts as missing
            earlier = read_results(path)
            if earlier.iteration is not None and earlier.is_comparable(results):
                found[earlier.iteration] = earlier
    return [found[iteration] for iteration in sorted(found) if iteration < (results.iteration or 0)]
