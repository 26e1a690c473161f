"""Metrics of a trained module, as loggers and callbacks see them."""

from collections import deque
from typing import NamedTuple

import torch
from lightning.pytorch import Callback
from torch import Tensor

from slimgan_pl.training.augmentation import Augmenter
from slimgan_pl.training.sampled import SampledModule
from slimgan_pl.training.throughput import Throughput
from slimgan_pl.training.update_metrics import Metrics

__all__ = ["LoggedModule", "Report", "StepSettings", "copy_metrics"]


class StepSettings(NamedTuple):
    """Settings of an iteration's computation that change rounding alone."""

    tf32: bool | None
    compile: bool
    cuda_graphs: bool
    free_graphs: bool
    micro_batches: int


class Report(NamedTuple):
    """Number, metrics, and ``Status`` on the device, of an iteration."""

    iteration: int
    metrics: Metrics
    status: Tensor


class LoggedModule(SampledModule):
    """Base of the modules that log metrics.

    ``reports`` are those of the last two iterations.
    """

    augmenter: Augmenter | None
    last_penalty: Tensor | None  # of a lazy penalty, (W,)
    step_settings: StepSettings

    def __init__(self) -> None:
        super().__init__()
        self.reports: deque[Report] = deque(maxlen=2)
        self.throughput = Throughput()
        self.scheduled: dict[str, float] = {}  # values of scheduled settings in the last iteration

    def with_last_penalty(self, metrics: Metrics) -> Metrics:
        """Return a copy of an iteration's metrics, with the last value of a lazy penalty."""
        if self.last_penalty is not None:
            if "gradient_penalty" in metrics:
                self.last_penalty.copy_(torch.stack(list(metrics["gradient_penalty"].values())))
            metrics = {**metrics, "gradient_penalty": dict(enumerate(self.last_penalty))}
        return copy_metrics(metrics)

    def per_width(self, metrics: Metrics) -> dict[str, Tensor]:
        """Return metrics by the names that loggers see, such as ``generator_loss/0.5``."""
        widths = self.generator.widths if self.individual is None else (self.individual,)
        return {
            f"{name}/{widths[index]:g}": value for name, values in metrics.items() for index, value in values.items()
        }

    def measure_throughput(self) -> dict[str, float]:
        """Return the known rates of training, such as ``iterations_per_second``."""
        trainer = self.trainer
        return self.throughput.rates(self.global_step, trainer.estimated_stepping_batches, trainer.num_training_batches)

    def is_logged(self, iteration: int) -> bool:
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return bool(every) and iteration % every == 0

    def measures_gradients(self) -> bool:
        """Return whether this iteration's gradient norms are logged and meaningful.

        A CUDA graph does the same in each iteration. 16-mixed scales gradients, and a micro-batch has its own.
        """
        settings = self.step_settings
        are_meaningful = self.trainer.precision != "16-mixed" and settings.micro_batches == 1
        return bool(self.loggers) and are_meaningful and (settings.cuda_graphs or self.is_logged(self.global_step + 1))

    def log_metrics_of_iteration(self) -> None:
        """Log metrics per width, mean losses and throughput.

        The loggers get them here, not from Lightning after the step: a checkpoint of this iteration comes before that.
        """
        if not self.is_logged(self.global_step):
            return
        metrics = self.reports[-1].metrics
        losses = {name: list(values.values()) for name, values in metrics.items() if name.endswith("loss")}
        means = {name: torch.stack(values).mean() for name, values in losses.items()}
        named = {**self.per_width(metrics), **means}
        if self.augmenter is not None:
            named["augmentation_p"] = self.augmenter.p.clone()
        callbacks: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        monitored = {getattr(callback, "monitor", None) for callback in callbacks}
        # Lightning takes a third of a millisecond for each, so it gets only what callbacks monitor.
        self.log_dict({name: named[name] for name in named if name in means or name in monitored}, logger=False)
        if self.loggers:
            values = dict(zip(named, torch.stack(list(named.values())).tolist(), strict=True))
            values |= {f"schedule/{name}": value for name, value in self.scheduled.items()}
            values |= {f"pace/{name}": value for name, value in self.measure_throughput().items()}
            for logger in self.loggers:
                logger.log_metrics(values, step=self.global_step)
                logger.save()


def copy_metrics(metrics: Metrics) -> Metrics:
    """Copy metrics, because a CUDA graph writes into the same memory again."""
    values = iter(torch.stack([value for by_width in metrics.values() for value in by_width.values()]).unbind())
    return {name: {index: next(values) for index in by_width} for name, by_width in metrics.items()}
