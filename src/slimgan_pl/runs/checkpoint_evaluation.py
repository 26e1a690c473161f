"""The figures of exactly one checkpoint, among the evaluations that a run has left."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.results import read_results, tidy
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.runs.folder import RunFolder, path_beside

__all__ = ["figures_of"]


class Evaluation(NamedTuple):
    """Results of some checkpoint, the file that holds them, and the SHA-256 of the checkpoint if it was recorded."""

    place: Path
    results: dict[str, Any]
    sha256: str | None


def figures_of(source: Source) -> dict[str, Any] | None:
    """Return the results of the newest evaluation of a checkpoint, or None.

    They have to be of its iteration and to name its checksum. Only where nothing in its run folder names any, the
    iteration is enough for results that lie beside the checkpoint by its name, and for those of the run if the
    checkpoint is a file that the run has written itself. What is damaged counts as not there.

    Returns:
        Results in the form of ``tidy``, with rows by the widths of the generator, and ``matched_by``: ``sha256`` or
        ``iteration``.
    """
    path = source.path.absolute()
    evaluations = list(found(path))
    of_iteration = [each for each in evaluations if each.results["iteration"] == source.checkpoint["global_step"]]
    matched, kind = [each for each in of_iteration if each.sha256 == source.sha256], "sha256"
    if (
        not matched
        and RunFolder.of(path).checkpoints == path.parent
        and all(each.sha256 is None for each in evaluations)
    ):
        matched, kind = [each for each in of_iteration if is_named_for(each.place, path)], "iteration"
    if not matched:
        return None
    results = max(matched, key=lambda each: each.place.stat().st_mtime).results
    return {**results, "widths": own_widths(source, results["widths"]), "matched_by": kind}


def found(path: Path) -> Iterator[Evaluation]:
    """Yield the evaluations beside a checkpoint and in the run folder that it lies in."""
    beside = [file for kind in ("test", "validate") for file in path.parent.glob(f"*.{kind}.json")]
    run = RunFolder.of(path)
    for place in filter(Path.is_file, [*beside, run.results, *run.evaluations().values()]):
        with suppress(SlimGANError, OSError):
            results = tidy(read_results(str(place)))
            if results["widths"]:
                yield Evaluation(place, results, judged_sha256(results))


def is_named_for(place: Path, path: Path) -> bool:
    """Return whether results lie where those of a checkpoint do, by its name."""
    if place.parent == path.parent:
        return place in (path_beside(path, "test"), path_beside(path, "validate"))
    return path in RunFolder.of(path).written_checkpoints()  # not recalibrated, which has the same iteration


def judged_sha256(results: dict[str, Any]) -> str | None:
    """Return the checksum of the checkpoint that was judged, if it was on disk."""
    checkpoint = results.get("checkpoint")
    sha256 = checkpoint.get("sha256") if isinstance(checkpoint, dict) else None
    return sha256 if isinstance(sha256, str) else None


def own_widths(source: Source, rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """Return rows by the widths of the generator: what was trained alone is judged by the width that it is part of."""
    if source.model.individual is None:
        return rows
    return [{**row, "width": width} for row, width in zip(rows, source.model.generator.widths, strict=False)]
