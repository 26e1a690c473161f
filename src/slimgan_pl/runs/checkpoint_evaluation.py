"""Evaluation of exactly one checkpoint, found in the folder of its run."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import EvaluationResults, read_results
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.runs.folder import RunFolder, path_beside

__all__ = ["find_evaluation"]


class Evaluation(NamedTuple):
    """Results of some checkpoint, and the file that holds them."""

    place: Path
    results: EvaluationResults

    @property
    def sha256(self) -> str | None:
        """Checksum of the evaluated checkpoint, if it was on disk."""
        checkpoint = self.results.provenance.get("checkpoint")
        sha256 = checkpoint.get("sha256") if isinstance(checkpoint, dict) else None
        return sha256 if isinstance(sha256, str) else None


def find_evaluation(source: Source) -> EvaluationResults | None:
    """Return the results of the newest evaluation of a checkpoint, or None.

    They have to be of its iteration and its weights, averaged or raw, and to name its checksum. Only where nothing in
    its run folder names any, the iteration is enough for results that lie beside the checkpoint by its name, and for
    those of the run if the checkpoint is a file that the run has written itself. A damaged file counts as missing. A
    truncated generator has none.

    Returns:
        Results with rows by the widths of the generator, and ``matched_by`` in their provenance: ``sha256`` or
        ``iteration``.
    """
    if source.model.truncation != 1:
        return None
    path = source.path.absolute()
    evaluations = list(find_evaluations(path))
    of_iteration = [
        each
        for each in evaluations
        if each.results.iteration == source.checkpoint["global_step"]
        and each.results.weights == source.model.used_weights
    ]
    matched, matched_by = [each for each in of_iteration if each.sha256 == source.sha256], "sha256"
    has_checksums = any(each.sha256 is not None for each in evaluations)
    if not matched and not has_checksums and RunFolder.of(path).checkpoints == path.parent:
        matched, matched_by = [each for each in of_iteration if is_named_for(each.place, path)], "iteration"
    if not matched:
        return None
    results = max(matched, key=lambda each: each.place.stat().st_mtime).results
    document = {**results.to_json(), "matched_by": matched_by}
    if source.model.individual is not None:  # evaluated by the width that it is part of
        rows = zip(document["widths"], source.model.generator.widths, strict=False)
        document["widths"] = [{**row, "width": width} for row, width in rows]
    return EvaluationResults.from_json(document, path)


def find_evaluations(path: Path) -> Iterator[Evaluation]:
    """Yield the evaluations beside a checkpoint and in its run folder."""
    beside = [file for kind in ("test", "validate") for file in path.parent.glob(f"*.{kind}.json")]
    run = RunFolder.of(path)
    for place in filter(Path.is_file, [*beside, run.results, *run.evaluations().values()]):
        with suppress(SlimGANError, OSError):
            results = read_results(place)
            if any(row.width is not None for row in results.rows):
                yield Evaluation(place, results)


def is_named_for(place: Path, path: Path) -> bool:
    """Return whether a file of results is named for a checkpoint."""
    if place.parent == path.parent:
        return place in (path_beside(path, "test"), path_beside(path, "validate"))
    return path in RunFolder.of(path).written_checkpoints()  # not recalibrated, which has the same iteration
