"""Progress of training, counted in iterations, and of evaluations, counted in images."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from torch import Tensor

from slimgan_pl.evaluation.lightning_module import JudgedModule
from slimgan_pl.training.module import TrainedModule

__all__ = ["IterationProgress", "pace_line", "width_lines", "width_table"]

SHORT = {
    "discriminator_loss": "D",
    "generator_loss": "G",
    "distillation_loss": "distill",
    "real_logits": "real",
    "fake_logits": "fake",
}

PLAIN_LINES = 20  # lines for a whole run where the output is no terminal

PLAIN_SECONDS = 60.0  # between two lines about an evaluation there


REFRESH_ITERATIONS = 10  # between two updates of the figures on a terminal


class Bars(Progress):
    """Bars with more below them."""

    below: Sequence[RenderableType] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield from self.below


class IterationProgress(ProgressBar):
    """One bar for the whole run, with the pace and a line per width below, and one for each pass over images.

    Where the output is no terminal, such lines now and then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._progress: Bars | None = None

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        total = trainer.estimated_stepping_batches
        self._total = int(total) if total != float("inf") else None
        if not (self._enabled and trainer.is_global_zero):
            return
        if not sys.stdout.isatty():
            return
        self._progress = make_bars()
        self._task = self._progress.add_task("Training", total=self._total, completed=trainer.global_step)
        self._progress.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if not (self._enabled and trainer.is_global_zero):
            return
        iteration = trainer.global_step
        if self._progress is not None:
            self._progress.update(self._task, completed=iteration)
            if iteration % REFRESH_ITERATIONS == 0:
                self._progress.below = [pace_line(pl_module), width_table(pl_module)]
        elif iteration % max(1, (self._total or 100_000) // PLAIN_LINES) == 0:
            total = "" if self._total is None else f"/{self._total}"
            pace = pace_line(pl_module)
            print(f"Iteration {iteration}{total}{pace and f': {pace}'}", *width_lines(pl_module), sep="\n", flush=True)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._enabled and trainer.is_global_zero and isinstance(pl_module, JudgedModule) and pl_module.evaluator:
            pl_module.evaluator.progress = self.judging

    on_test_start = on_validation_start

    def judging(self, batches: Sequence[Tensor], what: str) -> Iterator[Tensor]:
        """Yield batches of image numbers, and show how far they are."""
        total, done = sum(map(len, batches)), 0
        if not sys.stdout.isatty():
            said = time.monotonic()
            for batch in batches:
                yield batch
                done += len(batch)
                if time.monotonic() - said >= PLAIN_SECONDS:
                    said = time.monotonic()
                    print(f"{what}: {done:,}/{total:,}", flush=True)
            return
        bars = self._progress or make_bars()
        task = bars.add_task(what, total=total)
        bars.start()
        bars.refresh()  # or a short pass would never show
        try:
            for batch in batches:
                yield batch
                bars.advance(task, len(batch))
        finally:
            bars.remove_task(task)
            if bars is not self._progress:
                bars.stop()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def make_bars() -> Bars:
    """Return bars that show a name, how much of how much, and the time that has gone and is left."""
    return Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(),
    )


def duration(seconds: float) -> str:
    """Return a time in hours, minutes and seconds.

    >>> duration(75), duration(200_000)
    ('0:01:15', '2 days, 7:33:20')
    """
    return str(timedelta(seconds=round(seconds)))


def pace_line(model: LightningModule) -> str:
    """Return how fast training is and how long it takes yet, as far as it is known."""
    pace = model.pace() if isinstance(model, TrainedModule) and model.pace is not None else {}
    forms = {
        "iterations_per_second": "{:.3g} iterations/s",
        "images_per_second": "{:,.0f} images/s",
        "epochs": "{:.1f} epochs",
    }
    parts = [form.format(pace[name]) for name, form in forms.items() if name in pace]
    if "seconds_left" in pace:
        parts.append(f"{duration(pace['seconds_left'])} left")
    return ", ".join(parts)


def width_figures(model: LightningModule) -> dict[str, dict[str, float]]:
    """Return figures by width and short name, of the newest iteration that has settled."""
    report = model.settled_report if isinstance(model, TrainedModule) else None
    if report is None or not isinstance(model, TrainedModule):
        return {}
    figures: dict[str, dict[str, float]] = {}
    named = model.per_width({name: report.figures[name] for name in SHORT if name in report.figures})
    for key, value in zip(named, torch.stack(list(named.values())).tolist(), strict=True):  # one wait for the device
        name, width = key.split("/")
        figures.setdefault(width, {})[SHORT[name]] = value
    return dict(sorted(figures.items(), key=lambda item: float(item[0])))


def width_lines(model: LightningModule) -> list[str]:
    """Return a line per width for a log, in 80 characters."""
    figures = width_figures(model)
    return [
        f"  width {width:<5}" + "".join(f"  {name} {number(row.get(name)):>7}" for name in names_in(figures))
        for width, row in figures.items()
    ]


def width_table(model: LightningModule) -> Table:
    """Return a row per width for a terminal."""
    figures = width_figures(model)
    table = Table("width", box=None, pad_edge=False, header_style="dim")
    for name in names_in(figures):
        table.add_column(name, justify="right", min_width=7)
    for width, row in figures.items():
        table.add_row(width, *(number(row.get(name)) for name in names_in(figures)))
    return table


def names_in(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the short names that a width has a figure of."""
    return [name for name in SHORT.values() if any(name in row for row in figures.values())]


def number(value: float | None) -> str:
    """Return a number in seven characters, or a dash for none.

    >>> number(-1.2345), number(12345.678), number(0.00012345)
    ('-1.234', '1.2e+04', '0.00012')
    """
    if value is None:
        return "-"
    return f"{value:.3f}" if 0.01 <= abs(value) < 1000 else f"{value:.2g}"
