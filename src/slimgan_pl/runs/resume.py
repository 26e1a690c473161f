"""Runs on disk: finding the one that stopped, and what has changed since."""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.runs.checkpoints import read_checkpoint

__all__ = ["StoppedRun", "changes", "newest_run", "owning", "run_folders", "stopped_run"]

VERSION = re.compile(r"version_(\d+)")

KEPT = re.compile(r"iteration_(\d+)\.ckpt")


class StoppedRun(NamedTuple):
    """A run to go on with in its folder."""

    checkpoint: Path
    iteration: int
    logged_rows: int  # of its table of figures, up to the checkpoint

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.checkpoint.parent.parent

    @property
    def version(self) -> int | None:
        """N of a folder ``version_N``."""
        match = VERSION.fullmatch(self.folder.name)
        return int(match[1]) if match else None

    @property
    def is_judged(self) -> bool:
        """Whether its results are those of the checkpoint, and not of a time when it was to be shorter."""
        try:
            results = json.loads((self.folder / "results.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(results, dict) and results.get("iteration") == self.iteration


def newest_run(root: Path) -> StoppedRun | None:
    """Return the newest run below a folder that has a whole checkpoint, with its newest whole one, or None.

    A checkpoint that cannot be read is said and passed over.
    """
    return next(filter(None, map(stopped_run, run_folders(root))), None)


def run_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of runs, the newest first, and at last the folder itself, for a run without loggers."""
    versions = {int(match[1]): path for path in root.glob("version_*") if (match := VERSION.fullmatch(path.name))}
    for number in sorted(versions, reverse=True):
        yield versions[number]
    yield root


def stopped_run(folder: Path) -> StoppedRun | None:
    """Return a run with the whole checkpoint of its highest iteration, or None if it has none."""
    last = folder / "checkpoints" / "last.ckpt"
    kept = {int(match[1]): path for path in last.parent.glob("*.ckpt") if (match := KEPT.fullmatch(path.name))}
    found = read_run(last) if last.is_file() else None
    for iteration in sorted(kept, reverse=True):
        if found is not None and iteration <= found.iteration:
            break
        found = read_run(kept[iteration]) or found
    return found


def read_run(path: Path) -> StoppedRun | None:
    """Return the run of a checkpoint, or None if it cannot be read."""
    try:
        checkpoint = read_checkpoint(path)
    except SlimGANError as error:
        warnings.warn(f"{error}; looking for an earlier one", SlimGANWarning, stacklevel=2)
        return None
    return StoppedRun(path, checkpoint["global_step"], checkpoint.get("run", {}).get("logged_rows", 0))


@contextmanager
def owning(folder: Path) -> Iterator[None]:
    """Be the only process that writes a run; the system frees the folder of one that was killed.

    Raises:
        SlimGANError: If another process does.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        with suppress(NotImplementedError):  # a filesystem without locks
            lock.acquire(timeout=0)
        yield
    except Timeout as error:
        raise SlimGANError(
            f"another process trains in {folder}; wait for its end, or give this run a --trainer.default_root_dir of "
            "its own"
        ) from error
    finally:
        if lock.is_locked:
            with suppress(OSError):
                (folder / ".lock").unlink()
            lock.release()
        for path in made:  # unless there is something in it
            with suppress(OSError):
                path.rmdir()


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for each setting that differs between two nested mappings of plain values.

    >>> changes({"model": {"seed": 0, "lr": 1}}, {"model": {"seed": 0, "lr": 2}})
    ['model.lr: 1 -> 2']
    """
    old, new = dict(flat(before)), dict(flat(now))
    return [
        f"{name}: {old.get(name, 'not set')} -> {new.get(name, 'not set')}"
        for name in old | new
        if old.get(name) != new.get(name)
    ]


def flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings by their names with dots."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
