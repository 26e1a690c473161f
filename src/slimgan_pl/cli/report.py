"""``slimgan report``: runs as one web page in one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slimgan_pl.errors import MAX_SEED, SlimGANError, check_range
from slimgan_pl.evaluation.metrics.registry import COLUMN_KEYS, ColumnKey
from slimgan_pl.runs.comparison import short_names
from slimgan_pl.utils.files import check_folder, write_whole, writing_output
from slimgan_pl.utils.weights import Weights

if TYPE_CHECKING:
    from slimgan_pl.report.reading import RunFiles

__all__ = ["report"]

MARK, HEAD_BYTES = b'content="slimgan report"', 300  # what a page says of itself, and where


def report(
    runs: list[str],
    output: str = "report.html",
    metric: ColumnKey | None = None,
    seed: int = 0,
    trust_checkpoint: bool = False,
    weights: Weights = "averaged",
) -> None:
    """Write one web page about runs that needs no other file.

    It shows metrics, curves, samples and settings, and fetches nothing from the network.

    Args:
        runs: Folders of runs, such as runs/digits for the newest in it.
        output: The page to write; an older report there is replaced, another file never.
        metric: The metric that comes first and that runs are compared by; by default the first that a run has.
        seed: Seed of the latents of the pictures.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
        weights: Weights of the metrics and pictures: the averaged ones where training has kept an average, or the raw
            ones.
    """
    try:
        from slimgan_pl.report.page import make_page
    except ModuleNotFoundError as error:
        raise SlimGANError(f'a report needs {error.name}; install it with pip install "slimgan-pl[report]"') from error
    check_range("the seed", seed, 0, MAX_SEED)
    path = Path(output)
    check_output(path)
    from slimgan_pl.report.reading import find_run, read_run  # PyTorch, which help does not need
    from slimgan_pl.report.summary import summarize_run

    folders = list(dict.fromkeys(find_run(run).resolve() for run in runs))
    found = [read_run(folder, name, weights) for folder, name in zip(folders, names_of(folders), strict=True)]
    first = first_metric(found, metric)
    summaries = [summarize_run(run, seed, trust_checkpoint, weights) for run in found]
    page = make_page(found, summaries, first).encode()
    with writing_output("the page", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page)
    print(f"{len(found)} {'run' if len(found) == 1 else 'runs'} in {output} ({len(page) / 1e6:.1f} MB)")


def check_output(path: Path) -> None:
    """Raise a SlimGANError where a page would replace something else."""
    if not path.name or path.is_dir():
        raise SlimGANError(f"--output {path} is a folder; name a file such as report.html")
    check_folder(path.parent)
    if path.exists():
        with path.open("rb") as file:
            if MARK not in file.read(HEAD_BYTES):
                raise SlimGANError(f"{path} is there and is no report; give another --output, or delete it")


def names_of(folders: Sequence[Path]) -> list[str]:
    """Return what the page calls runs.

    >>> names_of([Path("/runs/a/version_0")]), names_of([Path("/runs/a/version_0"), Path("/runs/b/version_0")])
    (['a/version_0'], ['a/version_0', 'b/version_0'])
    """
    if len(folders) > 1:
        return short_names([str(folder) for folder in folders])
    (folder,) = folders
    return [f"{folder.parent.name}/{folder.name}" if folder.name.startswith("version_") else folder.name]


def first_metric(runs: "Sequence[RunFiles]", asked: ColumnKey | None) -> str:
    """Return the metric asked for, or the first of any run."""
    results = [run.results for run in runs if run.results is not None]
    held = [key for key in COLUMN_KEYS if any(column.key == key for each in results for column in each.columns)]
    if asked is not None and asked not in held:
        raise SlimGANError(f"these runs have no {asked}; choose another --metric, or leave it out")
    return asked or next(iter(held), COLUMN_KEYS[0])
