"""Page of one checkpoint, with its run's title and its metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from slimgan_pl.export.web import width_facts, write_site
from slimgan_pl.runs.checkpoint_evaluation import find_evaluation
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.runs.folder import RunFolder

if TYPE_CHECKING:
    from onnx import ModelProto  # of the extra onnx

__all__ = ["title_of", "write_page"]


def write_page(folder: Path, source: Source, graph: "ModelProto", runtime: Mapping[str, bytes]) -> list[Path]:
    """Write the page of a checkpoint and its metrics; return the files."""
    facts = width_facts(source.model.inference_generator, quality(source))
    return write_site(graph, folder, title_of(source.path), facts, runtime)


def quality(source: Source) -> dict[float, dict[str, float]]:
    """Return each width's Fréchet distance by its title; empty without an evaluation."""
    results = find_evaluation(source)
    if results is None:
        return {}
    name = results.label("fid")
    return {row.width: {name: row.values["fid"]} for row in results.rows if row.width and "fid" in row.values}


def title_of(path: Path) -> str:
    """Return the title of the page: the name of the checkpoint's run.

    >>> title_of(Path("/runs/digits/version_0/checkpoints/last.ckpt")), title_of(Path("/nets/horses.ckpt"))
    ('digits', 'horses')
    """
    run = RunFolder.of(path.resolve())
    if run.checkpoints != path.resolve().parent:
        return path.stem
    return run.path.name if run.version is None else run.path.parent.name or run.path.name
