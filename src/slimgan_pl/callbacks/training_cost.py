"""Cost of training."""

import warnings
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.models.cost import MacCounter
from slimgan_pl.training.module import TrainedModule

__all__ = ["TrainingCost"]


class TrainingCost(Callback):
    """Time and multiply-accumulates of training, over all devices and resumed runs.

    The multiply-accumulates of convolutions and linear layers, forward and backward, are counted in the first iteration
    after each start, which is not compiled, and in the first with a lazy gradient penalty; all others cost as much as
    one of these. The time is without evaluations.
    """

    def __init__(self) -> None:
        self.iterations = 0
        self.seconds = 0.0
        self.macs = 0
        self._per_iteration: dict[bool, int] = {}  # with a gradient penalty, which may be lazy, and without
        self._is_penalized = False
        self._counter: MacCounter | None = None

    @property
    def totals(self) -> dict[str, float] | None:
        """Plain values: ``iterations``, ``device_seconds`` and ``macs``; None before any training."""
        if self.iterations == 0:
            return None
        return {"iterations": self.iterations, "device_seconds": round(self.seconds, 1), "macs": self.macs}

    @property
    def figures(self) -> dict[str, float] | None:
        """Deprecated name of ``totals``."""
        warnings.warn("TrainingCost.figures is now totals", DeprecationWarning, stacklevel=2)
        return self.totals

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._per_iteration = {}

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        iteration = getattr(pl_module, "iteration", None)
        self._is_penalized = iteration is not None and iteration.penalizes_at(trainer.global_step)
        if self._is_penalized not in self._per_iteration:
            self._counter = MacCounter()
            self._counter.__enter__()  # type: ignore[no-untyped-call]
            torch.compiler.set_stance("force_eager")

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if self._counter is not None:
            self._per_iteration[self._is_penalized] = self._stop_counting() * trainer.world_size
        self.macs += self._per_iteration[self._is_penalized]
        self.iterations += 1
        if isinstance(pl_module, TrainedModule):
            self.seconds += pl_module.throughput.seconds * trainer.world_size

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self._counter is not None:
            self._stop_counting()

    def _stop_counting(self) -> int:
        assert self._counter is not None
        self._counter.__exit__(None, None, None)  # type: ignore[no-untyped-call]
        torch.compiler.set_stance("default")
        macs = self._counter.macs
        self._counter = None
        return macs

    def state_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints."""
        return {"iterations": self.iterations, "seconds": self.seconds, "macs": self.macs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.__dict__.update(state_dict)
