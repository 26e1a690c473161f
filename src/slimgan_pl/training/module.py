"""Lightning modules that train a generator against a bank, an iteration a step."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.strategies import ParallelStrategy
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from slimgan_pl.errors import SlimGANError, lacks_memory
from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator
from slimgan_pl.training.compatibility import check_capture
from slimgan_pl.training.iteration import Iteration, Player, iteration_seed
from slimgan_pl.training.updates import Figures, Objective, Updates
from slimgan_pl.utils.torch_state import follow_layout, tensor_float32

__all__ = ["Report", "StepSettings", "TrainedModule"]

Batch = tuple[Tensor, Tensor | None]


class StepSettings(NamedTuple):
    """How an iteration is computed; what it computes is the same but for rounding."""

    tf32: bool | None
    compile: bool
    cuda_graphs: bool
    free_graphs: bool
    micro_batches: int


class Report(NamedTuple):
    """What an iteration said: its number, a number per width for each name, and its ``Status`` on the device."""

    iteration: int
    figures: Figures
    status: Tensor


class TrainedModule(LightningModule):
    """Base of the modules whose training step is one iteration; the optimizers are the generator's and the bank's.

    ``reports`` are those of the last two iterations. ``asked_to_stop`` is told to the other processes by the next.
    ``after_iteration`` is called once all callbacks are through with an iteration. ``pace`` gives what is logged beside
    the losses, by name.
    """

    generator: SlimmableGenerator
    discriminators: DiscriminatorBank
    objective: Objective
    step_settings: StepSettings
    critic_steps: int
    seed: int
    individual: float | None
    iteration: Iteration | None = None  # while it trains
    reports: deque[Report]
    asked_to_stop: int = 0
    after_iteration: Callable[[], None] | None = None
    pace: Callable[[], dict[str, float]] | None = None

    def setup(self, stage: str) -> None:
        device = self.trainer.strategy.root_device
        if device.type != "cuda" and getattr(self.trainer.strategy, "_layer_sync", None) is not None:
            raise SlimGANError("synchronised batch norm needs GPUs; leave --trainer.sync_batchnorm out")

    def on_train_start(self) -> None:
        settings = self.step_settings
        optimizers: Any = self.optimizers()  # the generator's and the discriminators'
        for optimizer in optimizers:
            follow_layout(optimizer.optimizer)
        updates = Updates(
            self.generator,
            self.discriminators,
            self.objective,
            settings.free_graphs,
            settings.micro_batches,
            self._add_gradients,
        )
        if settings.compile:
            updates.compile()
        if settings.cuda_graphs:
            check_capture(self.device, isinstance(self.trainer.strategy, ParallelStrategy), self.trainer.precision)
        first, second = optimizers
        # The strategy takes the discriminators' step, not the LightningOptimizer: global_step counts iterations.
        step = partial(self.trainer.strategy.optimizer_step, second.optimizer, lambda: None)
        players = Player(first, first.step), Player(second, step)
        watch_gradients = self.trainer.precision != "16-mixed"
        self.iteration = Iteration(updates, *players, self.critic_steps, settings.cuda_graphs, watch_gradients)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        assert self.iteration is not None
        images, labels = batch
        images = images.to(self.generator.dtype)
        seed = iteration_seed(self.seed, self.global_step, self.global_rank)
        source = torch.Generator(images.device).manual_seed(seed)
        labels = labels if self.generator.num_classes else None
        self.iteration.updates.measures_gradients = self._measures_gradients()
        with saying_what_failed(), tensor_float32(self.step_settings.tf32):
            figures = self.iteration(images, labels, source, self.asked_to_stop)
        figures = {name: numbers.clone() for name, numbers in figures.items()}  # a graph writes into the same again
        self.reports.append(Report(self.global_step, figures, self.iteration.status))
        self._log_figures()

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        if self.after_iteration is not None:
            self.after_iteration()

    def on_train_end(self) -> None:
        self.iteration = None

    def _add_gradients(self, loss: Tensor, **settings: Any) -> None:
        """Add gradients of this process alone; they are averaged over processes once an update."""
        wrapped: Any = self.trainer.model
        context: AbstractContextManager[None] = wrapped.no_sync() if hasattr(wrapped, "no_sync") else nullcontext()
        with context:
            self.manual_backward(loss, **settings)

    @property
    def settled_report(self) -> Report | None:
        """The newest report that can be read while the device goes on: on a GPU that of the iteration before."""
        is_ready = len(self.reports) == 2 or self.device.type == "cpu"
        return self.reports[0 if self.device.type != "cpu" else -1] if self.reports and is_ready else None

    def per_width(self, figures: Figures) -> dict[str, Tensor]:
        """Return figures by the names that loggers see, such as ``generator_loss/0.5``."""
        widths = self.generator.widths if self.individual is None else (self.individual,)
        return {
            f"{name}/{width:g}": value
            for name, numbers in figures.items()
            for width, value in zip(widths, numbers, strict=False)
        }

    def _is_logged(self, iteration: int) -> bool:
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return bool(every) and iteration % every == 0

    def _measures_gradients(self) -> bool:
        """Return whether the iteration that begins measures its gradients: where they are logged and what they seem.

        A graph does the same in each iteration. 16-mixed scales gradients, and a micro-batch has its own.
        """
        settings = self.step_settings
        as_they_seem = self.trainer.precision != "16-mixed" and settings.micro_batches == 1
        return bool(self.loggers) and as_they_seem and (settings.cuda_graphs or self._is_logged(self.global_step + 1))

    def _log_figures(self) -> None:
        """Log a value per width, the mean losses and the pace, where the loggers take them.

        The loggers get them here, not from Lightning after the step: a checkpoint of this iteration comes before that.
        """
        if not self._is_logged(self.global_step):
            return
        figures = self.reports[-1].figures
        means = {name: numbers.mean() for name, numbers in figures.items() if name.endswith("loss")}
        named = {**self.per_width(figures), **means}
        callbacks: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        monitored = {getattr(callback, "monitor", None) for callback in callbacks}
        # Lightning takes a third of a millisecond for each, so it gets what callbacks look at.
        self.log_dict({name: named[name] for name in named if name in means or name in monitored}, logger=False)
        if self.loggers:
            values = dict(zip(named, torch.stack(list(named.values())).tolist(), strict=True))
            values |= {} if self.pace is None else {f"pace/{name}": value for name, value in self.pace().items()}
            for logger in self.loggers:
                logger.log_metrics(values, step=self.global_step)
                logger.save()


@contextmanager
def saying_what_failed() -> Iterator[None]:
    """Turn what a machine lacks for a step into a SlimGANError."""
    try:
        yield
    except TorchDynamoException as error:
        reason = next(line for line in str(error).splitlines() if line.strip())
        raise SlimGANError(f"the nets cannot be compiled on this machine ({reason}); leave compile out") from error
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        raise SlimGANError(
            "the device's memory is too small for this step; set --model.free_graphs true, set --model.micro_batches, "
            "or lower --data.batch_size"
        ) from error
