"""The page for browsers as an export, with what is known of the checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from slimgan_pl.export.web import width_facts, write_site
from slimgan_pl.runs.checkpoint_evaluation import find_evaluation
from slimgan_pl.runs.checkpoints import Source

if TYPE_CHECKING:
    from onnx import ModelProto  # of the extra onnx

__all__ = ["title_of", "write_page"]


def write_page(
    folder: Path,
    source: Source,
    graph: "ModelProto",
    runtime: Mapping[str, bytes],
) -> list[Path]:
    """Write a page that draws with a checkpoint's generator, and return its files.

    Args:
        folder: Where it is written.
        source: The checkpoint, whose figures it shows if it was judged.
        graph: Its generator as ONNX.
        runtime: The files of ONNX Runtime Web.
    """
    facts = width_facts(source.model.generator, quality(source))
    return write_site(graph, folder, title_of(source.path), facts, runtime)


def quality(source: Source) -> dict[float, dict[str, float]]:
    """Return the Fréchet distance of each width, by its name; nothing for a checkpoint that was not judged."""
    results = find_evaluation(source)
    if results is None:
        return {}
    name = results.label("fid")
    return {row.width: {name: row.values["fid"]} for row in results.rows if row.width and "fid" in row.values}


def title_of(path: Path) -> str:
    """Return what the page calls a checkpoint: the run that it is of.

    >>> title_of(Path("/runs/digits/version_0/checkpoints/last.ckpt")), title_of(Path("/nets/horses.ckpt"))
    ('digits', 'horses')
    """
    *above, folder = path.resolve().parts[:-1]
    if folder != "checkpoints":
        return path.stem
    return above[-2] if above[-1].startswith("version_") and len(above) > 1 else above[-1]
