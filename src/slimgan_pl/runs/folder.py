"""Folder of a run: the names of the files that training leaves there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LAST", "RunFolder", "find_results", "kept_name", "path_beside"]

LAST = "last.ckpt"

VERSION = re.compile(r"version_(\d+)")


@dataclass(frozen=True)
class RunFolder:
    """Folder of one run, such as ``runs/digits/version_0``; its files need not exist.

    Args:
        path: The folder.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @classmethod
    def of(cls, checkpoint: str | Path) -> "RunFolder":
        """Return the folder of the run that wrote a checkpoint."""
        return cls(Path(checkpoint).parent.parent)

    @staticmethod
    def versions(root: Path) -> "Iterator[RunFolder]":
        """Yield the folders ``version_N`` in a folder of runs, the newest first."""
        versions = {int(match[1]): path for path in root.glob("version_*") if (match := VERSION.fullmatch(path.name))}
        for number in sorted(versions, reverse=True):
            yield RunFolder(versions[number])

    @staticmethod
    def candidates(root: Path) -> "Iterator[RunFolder]":
        """Yield the versions in a folder, the newest first, then the folder itself, for a run without loggers."""
        yield from RunFolder.versions(root)
        yield RunFolder(root)

    @staticmethod
    def newest(root: Path) -> "RunFolder | None":
        """Return the newest run in a folder that left any file, or None."""
        return next((run for run in RunFolder.candidates(root) if run.is_used), None)

    @property
    def version(self) -> int | None:
        """Number N of a folder ``version_N``, or None."""
        match = VERSION.fullmatch(self.path.name)
        return int(match[1]) if match else None

    @property
    def is_used(self) -> bool:
        """Whether the folder holds logs, results, pictures or checkpoints."""
        files = (self.metrics, self.results, self.samples)
        return any(path.is_file() for path in files) or bool(self.evaluations() or any(self.checkpoints.glob("*.ckpt")))

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def checkpoint(self) -> Path:
        """Checkpoint that each save replaces."""
        return self.checkpoints / LAST

    @property
    def nonfinite_checkpoint(self) -> Path:
        """State of a run that NaN or infinity ended."""
        return self.checkpoints / "nonfinite.ckpt"

    def kept_checkpoints(self) -> dict[int, Path]:
        """Return the checkpoints that stay by their iterations, in order."""
        return numbered(self.checkpoints, ".ckpt")

    def written_checkpoints(self) -> list[Path]:
        """Return the places of the checkpoints that training writes; conversions of them have other names."""
        return [self.checkpoint, *self.kept_checkpoints().values()]

    @property
    def results(self) -> Path:
        """Results of the evaluation at the end."""
        return self.path / "results.json"

    def evaluation(self, iteration: int) -> Path:
        """Return the place of the results of an evaluation during training."""
        return self.path / "results" / f"iteration_{iteration:06d}.json"

    def evaluations(self) -> dict[int, Path]:
        """Return the results of the evaluations during training by their iterations, in order."""
        return numbered(self.path / "results", ".json")

    @property
    def samples(self) -> Path:
        """Picture of the samples at the end."""
        return self.path / "samples.png"

    def sample_grid(self, iteration: int) -> Path:
        """Return the place of a picture of samples during training."""
        return self.path / "samples" / f"iteration_{iteration:06d}.png"

    def sample_grids(self) -> dict[int, Path]:
        """Return the pictures of samples during training by their iterations, in order."""
        return numbered(self.path / "samples", ".png")

    @property
    def metrics(self) -> Path:
        """Log as a CSV table."""
        return self.path / "metrics.csv"

    @property
    def config(self) -> Path:
        """Configuration of the run."""
        return self.path / "config.yaml"

    @property
    def lock(self) -> Path:
        """Lock of the process that trains."""
        return self.path / ".lock"


def kept_name(iteration: int) -> str:
    """Return the file name of a checkpoint that stays."""
    return f"iteration_{iteration:06d}.ckpt"


def numbered(folder: Path, suffix: str) -> dict[int, Path]:
    """Return the files ``iteration_N`` of a folder by their numbers, in order."""
    pattern = re.compile(rf"iteration_(\d+){re.escape(suffix)}")
    found = {int(match[1]): path for path in folder.glob(f"*{suffix}") if (match := pattern.fullmatch(path.name))}
    return dict(sorted(found.items()))


def path_beside(checkpoint: str | Path, command: str, suffix: str = ".json") -> Path:
    """Return the place of a command's output beside the checkpoint that it is about.

    >>> path_beside("checkpoints/last.ckpt", "test").name
    'last.test.json'
    """
    return Path(checkpoint).with_suffix(f".{command}{suffix}")


def find_results(run: str | Path) -> Path:
    """Return the newest results of a run, of its newest version with any, or of a file itself; they need not exist."""
    root = Path(run)
    if not root.is_dir():
        return root
    for folder in (RunFolder(root), *RunFolder.versions(root)):
        places = (folder.results, path_beside(folder.checkpoint, "test"))
        if found := [place for place in places if place.is_file()]:
            return max(found, key=lambda file: file.stat().st_mtime)
    return RunFolder(root).results
