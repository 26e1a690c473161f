"""Search for stopped runs, and a lock for the run that trains."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.runs.checkpoint_reader import read_checkpoint
from slimgan_pl.runs.folder import RunFolder
from slimgan_pl.utils.files import reason_of, remedy_of

__all__ = ["StoppedRun", "check_folder_of_run", "find_newest_run", "find_stopped_run", "lock_run"]


class StoppedRun(NamedTuple):
    """Run to resume, with its count of rows up to the checkpoint."""

    checkpoint: Path
    iteration: int
    logged_rows: int

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return RunFolder.of(self.checkpoint)

    @property
    def is_evaluated(self) -> bool:
        """Whether the run's results are of the checkpoint's iteration."""
        try:
            results = json.loads(self.folder.results.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(results, dict) and results.get("iteration") == self.iteration


def find_newest_run(root: Path) -> StoppedRun | None:
    """Return the newest run with a readable checkpoint, or None.

    A checkpoint that cannot be read is skipped with a warning.
    """
    return next(filter(None, map(find_stopped_run, (*RunFolder.versions(root), RunFolder(root)))), None)


def find_stopped_run(folder: RunFolder) -> StoppedRun | None:
    """Return a run at its newest readable checkpoint, or None."""
    kept = folder.kept_checkpoints()
    found = read_run(folder.checkpoint) if folder.checkpoint.is_file() else None
    for iteration in reversed(kept):
        if found is not None and iteration <= found.iteration:
            break
        found = read_run(kept[iteration]) or found
    if folder.best_checkpoint.is_file() and (found is None or found.checkpoint != folder.checkpoint):
        best = read_run(folder.best_checkpoint)
        found = best if best is not None and (found is None or best.iteration > found.iteration) else found
    return found


def read_run(path: Path) -> StoppedRun | None:
    """Return a checkpoint's run, or None if it cannot be read."""
    try:
        checkpoint = read_checkpoint(path)
    except SlimGANError as error:
        warnings.warn(f"{error}; looking for an earlier one", SlimGANWarning, stacklevel=2)
        return None
    return StoppedRun(path, checkpoint["global_step"], checkpoint.get("run", {}).get("logged_rows", 0))


def check_folder_of_run(root: Path, stopped: StoppedRun | None, logger: object, checkpoints: object) -> None:
    """Raise a SlimGANError where the files of two runs would mix.

    Args:
        root: Folder of the runs.
        stopped: The run to resume.
        logger: Setting of the trainer's loggers, without which a run writes into ``root`` itself.
        checkpoints: Setting of the trainer's checkpoints.
    """
    if stopped is not None and checkpoints is False:
        raise SlimGANError(
            f"--trainer.enable_checkpointing false would leave {stopped.folder} with results of weights that are not "
            "kept; leave it out to resume that run"
        )
    if logger is not False:
        return
    if stopped is not None and stopped.folder.path != root:
        raise SlimGANError(
            f"--trainer.logger false would write beside {stopped.folder}; leave it out to resume that run"
        )
    if stopped is None and RunFolder(root).newest_checkpoint is not None:
        raise SlimGANError(
            f"{root} holds a run, which this one would replace; with --trainer.logger false give another "
            "--trainer.default_root_dir"
        )


@contextmanager
def lock_run(run: RunFolder) -> Iterator[None]:
    """Lock a run's folder against other processes.

    It is created, and removed again if it stays empty. The system frees the lock of a process that is killed.

    Raises:
        SlimGANError: If another process holds the lock.
    """
    created = [path for path in (run.path, *run.path.parents) if not path.exists()]
    try:
        run.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SlimGANError(
            f"the run's folder {run} could not be made ({reason_of(error)}); {remedy_of(error)}, or name another "
            "--trainer.default_root_dir"
        ) from error
    lock = FileLock(run.lock)
    try:
        with suppress(NotImplementedError):  # a filesystem without locks
            lock.acquire(timeout=0)
        yield
    except Timeout as error:
        raise SlimGANError(
            f"another process trains in {run}; wait for its end, or give this run a --trainer.default_root_dir of "
            "its own"
        ) from error
    finally:
        if lock.is_locked:
            with suppress(OSError):
                run.lock.unlink()
            lock.release()
        for path in created:
            with suppress(OSError):  # the folder is not empty
                path.rmdir()
