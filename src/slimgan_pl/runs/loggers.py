"""Loggers of a run: CSV, TensorBoard, and Weights & Biases."""

import os
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.runs.csv_log import RunCSVLogger
from slimgan_pl.runs.resume import StoppedRun
from slimgan_pl.utils.files import continuing_without

__all__ = [
    "ITERATION",
    "RunTensorBoardLogger",
    "RunWandbLogger",
    "WandbMode",
    "WandbRun",
    "continuing_without_wandb",
    "make_loggers",
    "run_id",
]

WandbMode = Literal["off", "offline", "online"]

WANDB_FOLDER = re.compile(r"(?:offline-)?run-\d+_\d+-(\w+)(?:-\d+)?")  # a date, an id, and a number if that is taken

ITERATION = "iteration"  # the x axis of every chart in Weights & Biases


@dataclass(frozen=True)
class WandbRun:
    """Name and content of a run of Weights & Biases.

    Args:
        project: Project that it belongs to.
        entity: User or team that the project belongs to; by default yours.
        name: Its name; by default Weights & Biases makes one up.
        group: Group of runs that it belongs to, such as the seeds of one configuration.
        tags: Words to find it by.
        log_checkpoint: Whether it gets the last checkpoint as an artifact at the end.
    """

    project: str = "slimgan"
    entity: str | None = None
    name: str | None = None
    group: str | None = None
    tags: Sequence[str] = ()
    log_checkpoint: bool = False


def check_wandb_run(run: WandbRun) -> None:
    """Raise a SlimGANError for names that Weights & Biases refuses.

    Weights & Biases would say so late, or not at all offline.
    """
    for key, value, refused, limit in (
        ("project", run.project, "/\\#?%:", 128),
        ("entity", run.entity, "/\\#?%: ", 128),
        ("name", run.name, "", 128),
        ("group", run.group, "", 128),
        *(("tags", tag, "", 64) for tag in run.tags),
    ):
        option = f"--wandb_run.{key}"
        if value is None:
            continue
        if not value.strip():
            raise SlimGANError(f"{option} is empty; give a name, or leave it out")
        if bad := sorted(set(value) & set(refused)):
            raise SlimGANError(
                f"{option} {value!r} holds {' '.join(map(repr, bad))}, which Weights & Biases refuses; leave it out"
            )
        if len(value) > limit:
            raise SlimGANError(f"{option} {value[:20]!r}... has {len(value)} characters; give at most {limit}")


def wandb_error() -> type[Exception]:
    """Return the error of Weights & Biases, which is imported only now."""
    import wandb

    error: type[Exception] = wandb.errors.Error
    return error


@contextmanager
def continuing_without_wandb() -> Iterator[None]:
    """Turn a failure of Weights & Biases into a warning."""
    try:
        with continuing_without("what Weights & Biases is told"):
            yield
    except (wandb_error(), SlimGANError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        message = f"Weights & Biases was not told ({reason}); the run continues without it"
        warnings.warn(message, SlimGANWarning, stacklevel=3)


class RunWandbLogger(WandbLogger):
    """Weights & Biases logger with the iteration as every chart's x axis.

    The run continues without what it cannot write. NOTE: it does not take back what was logged behind the checkpoint
    that a run resumes from, as the other loggers do.
    """

    def __init__(self, folder: str, mode: WandbMode, run: WandbRun) -> None:
        super().__init__(
            save_dir=os.path.abspath(folder),  # wandb's own process may have another working directory
            project=run.project,
            entity=run.entity,
            name=run.name,
            group=run.group,
            tags=list(run.tags),
            mode=mode,
            id=run_id(Path(folder)),
        )
        self.log_checkpoint = run.log_checkpoint

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        with continuing_without_wandb():
            self.experiment.log({**metrics, **({} if step is None else {ITERATION: step})})


class RunTensorBoardLogger(TensorBoardLogger):
    """TensorBoard's events; where they cannot be written, the run continues without them."""

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        with self._continuing():
            super().log_metrics(metrics, step)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        with self._continuing():
            super().log_hyperparams(*args, **kwargs)

    def save(self) -> None:
        with self._continuing():
            super().save()

    def finalize(self, status: str) -> None:
        with self._continuing():
            super().finalize(status)

    def _continuing(self) -> Any:
        return continuing_without(f"the events in {self.log_dir}")


def make_loggers(
    root: str, mode: WandbMode, run: WandbRun | None = None, stopped: StoppedRun | None = None
) -> list[Logger]:
    """Return loggers that all write into one folder for this run, ``root/version_N``.

    A stopped run is resumed in its folder; what CSV and TensorBoard hold behind its checkpoint is dropped.
    """
    if mode != "off":
        check_wandb_run(run or WandbRun())
    version = None if stopped is None else stopped.folder.version
    csv = RunCSVLogger(root, "", version, kept_rows=0 if stopped is None else stopped.logged_rows)
    purged: dict[str, Any] = {} if stopped is None else {"purge_step": stopped.iteration + 1}
    loggers: list[Logger] = [csv, RunTensorBoardLogger(root, "", f"version_{csv.version}", **purged)]
    if mode != "off":
        loggers.append(start_wandb(csv.log_dir, mode, run or WandbRun()))
    return loggers


def start_wandb(folder: str, mode: WandbMode, run: WandbRun) -> RunWandbLogger:
    """Start a run of Weights & Biases in a folder, before training.

    So a missing key or network is found early. A resumed run keeps its id.

    Raises:
        SlimGANError: If it cannot start; a new folder is taken away again.
    """
    is_new = not os.path.exists(folder)
    logger = RunWandbLogger(folder, mode, run)
    rank_zero_only(os.makedirs)(folder, exist_ok=True)
    try:
        logger.experiment.define_metric(ITERATION)
        logger.experiment.define_metric("*", step_metric=ITERATION, step_sync=True)
    except (wandb_error(), ValueError) as error:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        reason = " ".join(str(error).split()).rstrip(".")[:200]
        if mode == "offline" or not isinstance(error, wandb_error()):
            raise SlimGANError(f"Weights & Biases cannot start ({reason}); mend --wandb_run or leave it out") from error
        raise SlimGANError(
            f"Weights & Biases cannot start ({reason}); run `wandb login`, or give --wandb offline"
        ) from error
    return logger


def run_id(folder: Path) -> str | None:
    """Return the id of a folder's last wandb run, or None."""
    names = sorted(path.name for path in (folder / "wandb").glob("*run-*"))  # by their dates
    ids = [match[1] for match in map(WANDB_FOLDER.fullmatch, names) if match]
    return ids[-1] if ids else None
