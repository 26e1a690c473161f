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

from slimgan_pl.training.module import TrainedModule

__all__ = ["IterationProgress", "throughput_line", "width_lines", "width_table"]

SHORT = {
    "discriminator_loss": "D",
    "generator_loss": "G",
    "distillation_loss": "distill",
    "real_logits": "real",
    "fake_logits": "fake",
}

PLAIN_LINES = 20  # lines of a whole run where the output is no terminal

PLAIN_SECONDS = 60.0  # seconds between two lines about an evaluation there

REFRESH_ITERATIONS = 10  # iterations between two updates of the metrics on a terminal


class Bars(Progress):
    """Progress bars with other renderables below."""

    below: Sequence[RenderableType] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield from self.below


class IterationProgress(ProgressBar):
    """Bars of the run and of each pass over images.

    Throughput and a line per width stand below. Where the output is no terminal, it prints such lines at intervals.
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
        if not (self._enabled and trainer.is_global_zero and sys.stdout.isatty()):
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
                self._progress.below = [throughput_line(pl_module), width_table(pl_module)]
        elif iteration % max(1, (self._total or 100_000) // PLAIN_LINES) == 0:
            total = "" if self._total is None else f"/{self._total}"
            rates = throughput_line(pl_module)
            head = f"Iteration {iteration}{total}{rates and f': {rates}'}"
            print(head, *width_lines(pl_module), sep="\n", flush=True)

    def track(self, batches: Sequence[Tensor], name: str) -> Iterator[Tensor]:
        """Yield batches of image numbers, and show the progress of the pass."""
        if not self._enabled:
            yield from batches
            return
        total, done = sum(map(len, batches)), 0
        if not sys.stdout.isatty():
            last = time.monotonic()
            for batch in batches:
                yield batch
                done += len(batch)
                if time.monotonic() - last >= PLAIN_SECONDS:
                    last = time.monotonic()
                    print(f"{name}: {done:,}/{total:,}", flush=True)
            return
        bars = self._progress or make_bars()
        task = bars.add_task(name, total=total)
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
    """Return bars with name, count, elapsed and remaining time."""
    return Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(),
    )


def throughput_line(model: LightningModule) -> str:
    """Return throughput and remaining time, as far as known."""
    rates = model.measure_throughput() if isinstance(model, TrainedModule) else {}
    forms = {
        "iterations_per_second": "{:.3g} iterations/s",
        "images_per_second": "{:,.0f} images/s",
        "epochs": "{:.1f} epochs",
    }
    parts = [form.format(rates[name]) for name, form in forms.items() if name in rates]
    if "seconds_left" in rates:
        parts.append(f"{timedelta(seconds=round(rates['seconds_left']))} left")
    return ", ".join(parts)


def width_metrics(model: LightningModule) -> dict[str, dict[str, float]]:
    """Return metrics by width and short name, of the newest settled iteration."""
    if not isinstance(model, TrainedModule) or (report := model.settled_report) is None:
        return {}
    metrics: dict[str, dict[str, float]] = {}
    named = model.per_width({name: report.metrics[name] for name in SHORT if name in report.metrics})
    for key, value in zip(named, torch.stack(list(named.values())).tolist(), strict=True):  # one wait for the device
        name, width = key.split("/")
        metrics.setdefault(width, {})[SHORT[name]] = value
    return dict(sorted(metrics.items(), key=lambda item: float(item[0])))


def width_lines(model: LightningModule) -> list[str]:
    """Return a log line of at most 80 characters per width."""
    metrics = width_metrics(model)
    return [
        f"  width {width:<5}" + "".join(f"  {name} {number(row.get(name)):>7}" for name in names_in(metrics))
        for width, row in metrics.items()
    ]


def width_table(model: LightningModule) -> Table:
    """Return a row per width for a terminal."""
    metrics = width_metrics(model)
    table = Table("width", box=None, pad_edge=False, header_style="dim")
    for name in names_in(metrics):
        table.add_column(name, justify="right", min_width=7)
    for width, row in metrics.items():
        table.add_row(width, *(number(row.get(name)) for name in names_in(metrics)))
    return table


def names_in(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the short names of the metrics of any width."""
    return [name for name in SHORT.values() if any(name in row for row in metrics.values())]


def number(value: float | None) -> str:
    """Return a number in seven characters, or a dash for none.

    >>> number(-1.2345), number(12345.678), number(0.00012345)
    ('-1.234', '1.2e+04', '0.00012')
    """
    if value is None:
        return "-"
    return f"{value:.3f}" if 0.01 <= abs(value) < 1000 else f"{value:.2g}"
