"""Trainings of the benchmarks: ``slimgan fit`` in this process, with a clock and a record of its warnings."""

import io
import logging
import statistics
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from lightning.pytorch import Callback, Trainer

from slimgan_pl import SlimGAN
from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.data import ImageSource
from slimgan_pl.errors import SlimGANWarning
from slimgan_pl.evaluation import EvaluationResults
from slimgan_pl.runs.lightning_internals import callbacks_of
from slimgan_pl.utils.recipes import class_path

__all__ = [
    "RECIPES",
    "Clock",
    "Subset",
    "Training",
    "fid_by_width",
    "fit",
    "quiet_lightning",
    "recorded_warnings",
    "time_iteration",
]

FOLDER = Path(__file__).parent / "recipes"
NETS = str(FOLDER / "nets.yaml")
RECIPES = {name: [str(FOLDER / f"{name}.yaml")] for name in ("paper", "modern")}  # files on top of the nets

WARM_UP = 5  # iterations that do not count: the first one counts multiply-accumulates


class Clock(Callback):
    """CPU time of each training step in seconds, without evaluations, pictures and checkpoints."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._start = 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        self._start = time.process_time()

    def on_train_batch_end(self, *_: Any) -> None:
        self.seconds.append(time.process_time() - self._start)


class Training(NamedTuple):
    """A training that has ended."""

    model: SlimGAN
    trainer: Trainer

    @property
    def cpu_seconds(self) -> list[float]:
        """CPU time of each iteration."""
        return callbacks_of(self.trainer, Clock)[0].seconds


def fit(files: Sequence[str], *options: object, callbacks: Sequence[type[Callback]] = ()) -> Training:
    """Run ``slimgan fit`` on the shared nets, without its output.

    Args:
        files: Configuration files on top of ``recipes/nets.yaml``.
        options: Options of the command and their values.
        callbacks: Classes of more callbacks, without arguments.

    Raises:
        SlimGANError: If a setting is wrong, or the run diverges.
    """
    quiet_lightning()
    words = [word for file in (NETS, *files) for word in ("--config", file)]
    kinds: list[type[Callback]] = [Clock, *callbacks]
    for kind in kinds:
        words += ["--trainer.callbacks+", class_path(kind)]
    with redirect_stdout(io.StringIO()):
        command = SlimGANCLI(["fit", *words, *map(str, options)])
    return Training(command.model, command.trainer)


def quiet_lightning() -> None:
    """Keep Lightning's notes and advice from the tables."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"lightning\.")


def time_iteration(files: Sequence[str], *options: object, iterations: int) -> float:
    """Return the mean CPU time of an iteration in seconds, over a short training of its own."""
    with TemporaryDirectory() as root:
        where = "--trainer.default_root_dir", root, "--model.evaluator", "null"
        run = fit(files, *options, *where, "--trainer.max_steps", WARM_UP + iterations)
    return statistics.mean(run.cpu_seconds[WARM_UP:])


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """Collect the sentences of this package's warnings, which are then complete at the end."""
    sentences: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SlimGANWarning)
        try:
            yield sentences
        finally:
            sentences += [str(each.message) for each in caught if issubclass(each.category, SlimGANWarning)]


def fid_by_width(model: SlimGAN) -> dict[float, float]:
    """Return the FID (digits) of each width in the last evaluation."""
    results = EvaluationResults.from_json(model.results)
    return {float(row.width or 1): row.values["fid"] for row in results.rows}


class Subset(ImageSource):
    """Some images of another source.

    Args:
        source: The other source.
        indices: Numbers of its images.
        name: Name of the choice; the same name and count always stand for the same images.
    """

    def __init__(self, source: ImageSource, indices: npt.NDArray[np.int64], name: str) -> None:
        self.source, self.indices, self.name = source, indices, name
        self.labels = None if source.labels is None else source.labels[indices]

    @property
    def key(self) -> dict[str, Any]:
        return {**self.source.key, "chosen": [self.name, len(self)]}

    def __len__(self) -> int:
        return len(self.indices)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        return self.source.read(int(self.indices[index]))
