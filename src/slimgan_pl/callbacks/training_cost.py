"""What training has cost, and how fast it goes."""

import time
from collections import deque
from functools import partial
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.flop_counter import FlopCounterMode

from slimgan_pl.training.module import TrainedModule

__all__ = ["TrainingCost"]

WINDOW = 100  # iterations that the pace is the mean of


class TrainingCost(Callback):
    """Adds up the time and the multiply-accumulates of training over all devices, and over resumed runs.

    The multiply-accumulates of convolutions and linear layers, forward and backward, are counted in the first iteration
    after each start, which is not compiled; all others cost the same. The time is without evaluations. The pace is that
    of the last 100 iterations.
    """

    def __init__(self) -> None:
        self.iterations = 0
        self.seconds = 0.0
        self.macs = 0
        self._per_iteration: int | None = None
        self._counter: FlopCounterMode | None = None
        self._recent: deque[float] = deque(maxlen=WINDOW)  # seconds of an iteration
        self._images = 0  # real ones of an iteration, of all processes

    @property
    def figures(self) -> dict[str, float] | None:
        """Plain values: ``iterations``, ``device_seconds`` and ``macs``; None before any training."""
        if self.iterations == 0:
            return None
        return {"iterations": self.iterations, "device_seconds": round(self.seconds, 1), "macs": self.macs}

    def pace(self, trainer: Trainer) -> dict[str, float]:
        """Return ``iterations_per_second``, ``images_per_second`` (real ones), ``epochs`` and ``seconds_left``.

        What is not known yet, or never because a run has no end, is left out.
        """
        figures: dict[str, float] = {}
        if self._recent:
            rate = len(self._recent) / sum(self._recent)
            figures = {"iterations_per_second": rate, "images_per_second": rate * self._images}
            total = trainer.estimated_stepping_batches
            if total != float("inf"):
                figures["seconds_left"] = max(0, total - trainer.global_step) / rate
        if trainer.num_training_batches != float("inf"):
            figures["epochs"] = trainer.global_step / trainer.num_training_batches
        return figures

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._mark: float | None = None
        self._per_iteration = None
        self._recent.clear()
        if isinstance(pl_module, TrainedModule):
            pl_module.pace = partial(self.pace, trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if self._mark is None:  # what callbacks do after an evaluation is no training
            self._mark = time.perf_counter()
        if self._per_iteration is None:
            self._counter = FlopCounterMode(display=False)
            self._counter.__enter__()
            torch.compiler.set_stance("force_eager")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        now = time.perf_counter()
        seconds = now - (self._mark or now)
        if self._counter is None:
            self._recent.append(seconds)
        else:  # slower than the others
            self._per_iteration = self._stop_counting() // 2 * trainer.world_size
        self.macs += self._per_iteration or 0
        self.iterations += 1
        self._images = len(batch[0]) * trainer.world_size
        self.seconds += seconds * trainer.world_size
        self._mark = now

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if isinstance(pl_module, TrainedModule):
            pl_module.pace = None

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._mark = None

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self._counter is not None:
            self._stop_counting()

    def _stop_counting(self) -> int:
        assert self._counter is not None
        self._counter.__exit__(None, None, None)
        torch.compiler.set_stance("default")
        flops = int(self._counter.get_total_flops())
        self._counter = None
        return flops

    def state_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints."""
        return {"iterations": self.iterations, "seconds": self.seconds, "macs": self.macs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.__dict__.update(state_dict)
