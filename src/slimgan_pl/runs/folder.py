"""Folder of a run, and the names of its files."""

import re
from pathlib import Path

from slimgan_pl.errors import SlimGANError

__all__ = ["BEST", "LAST", "RunFolder", "find_checkpoint", "name_checkpoint", "path_beside"]

LAST = "last.ckpt"

BEST = "best.ckpt"

VERSION = re.compile(r"version_(\d+)")


class RunFolder:
    """Folder of one run, such as ``runs/digits/version_0``; its files need not exist.

    Attributes:
        checkpoint: Checkpoint that each save replaces.
        best_checkpoint: Checkpoint of the best evaluation by the metric that the run monitors.
        nonfinite_checkpoint: State of a run that NaN or infinity ended.
        results: Results of the evaluation at the end.
        samples: Picture of the samples at the end.
        metrics: Log as a CSV table.
        version: Number N of a folder ``version_N``, or None.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.checkpoint = self.checkpoints / LAST
        self.best_checkpoint = self.checkpoints / BEST
        self.nonfinite_checkpoint = self.checkpoints / "nonfinite.ckpt"
        self.results = path / "results.json"
        self.samples = path / "samples.png"
        self.metrics = path / "metrics.csv"
        self.config = path / "config.yaml"
        self.lock = path / ".lock"
        match = VERSION.fullmatch(path.name)
        self.version = int(match[1]) if match else None

    def __str__(self) -> str:
        return str(self.path)

    @classmethod
    def of(cls, checkpoint: str | Path) -> "RunFolder":
        """Return the folder of the run that wrote a checkpoint."""
        return cls(Path(checkpoint).parent.parent)

    @classmethod
    def versions(cls, root: Path) -> "list[RunFolder]":
        """Return the folders ``version_N`` in a folder of runs, the newest first."""
        versions = {run.version: run for run in map(cls, root.glob("version_*")) if run.version is not None}
        return [versions[number] for number in sorted(versions, reverse=True)]

    @classmethod
    def newest(cls, root: Path) -> "RunFolder | None":
        """Return the newest used run in or at a folder, or None."""
        return next((run for run in (*cls.versions(root), cls(root)) if run.is_used), None)

    @property
    def is_used(self) -> bool:
        """Whether the folder holds logs, results, pictures or checkpoints."""
        files = (self.metrics, self.results, self.samples, *self.evaluations().values())
        return any(path.is_file() for path in (*files, *self.checkpoints.glob("*.ckpt")))

    def kept_checkpoints(self) -> dict[int, Path]:
        """Return the checkpoints that stay by their iterations, in order."""
        return find_numbered(self.checkpoints, ".ckpt")

    @property
    def newest_checkpoint(self) -> Path | None:
        """Checkpoint of the last save, else the newest that stays, else the best, or None."""
        places = (self.checkpoint, *reversed(self.kept_checkpoints().values()), self.best_checkpoint)
        return next(filter(Path.is_file, places), None)

    def written_checkpoints(self) -> list[Path]:
        """Return the places of checkpoints that training writes, not of conversions."""
        return [self.checkpoint, self.best_checkpoint, *self.kept_checkpoints().values()]

    def evaluation(self, iteration: int) -> Path:
        """Return the place of the results of an evaluation during training."""
        return self.path / "results" / f"iteration_{iteration:06d}.json"

    def evaluations(self) -> dict[int, Path]:
        """Return the results during training by their iterations, in order."""
        return find_numbered(self.path / "results", ".json")

    def sample_grid(self, iteration: int) -> Path:
        """Return the place of a picture of samples during training."""
        return self.path / "samples" / f"iteration_{iteration:06d}.png"

    def sample_grids(self) -> dict[int, Path]:
        """Return the pictures of samples during training by their iterations, in order."""
        return find_numbered(self.path / "samples", ".png")


def name_checkpoint(iteration: int) -> str:
    """Return the file name of a checkpoint that stays."""
    return f"iteration_{iteration:06d}.ckpt"


def find_numbered(folder: Path, suffix: str) -> dict[int, Path]:
    """Return the files ``iteration_N`` of a folder by their numbers, in order."""
    numbers = {path: path.stem.removeprefix("iteration_") for path in folder.glob(f"iteration_*{suffix}")}
    return dict(sorted((int(number), path) for path, number in numbers.items() if number.isdecimal()))


def path_beside(checkpoint: str | Path, command: str, suffix: str = ".json") -> Path:
    """Return the place of a command's output beside its checkpoint.

    >>> path_beside("checkpoints/last.ckpt", "test").name
    'last.test.json'
    """
    return Path(checkpoint).with_suffix(f".{command}{suffix}")


def find_checkpoint(path: str | Path) -> Path:
    """Return the checkpoint at a path, or a run's newest one.

    Args:
        path: The checkpoint, a run's folder, or a folder of versions, of which the newest with a checkpoint counts.

    Raises:
        SlimGANError: If a folder holds none.
    """
    root = Path(path)
    if not root.is_dir():
        return root
    runs = [RunFolder(root), *RunFolder.versions(root)]
    if RunFolder(root.parent).checkpoints == root:
        runs.append(RunFolder(root.parent))
    for found in (run.newest_checkpoint for run in runs):
        if found is not None:
            return found
    raise SlimGANError(
        f"there is no checkpoint in {path}; give a run's folder, or a file such as checkpoints/last.ckpt"
    )
