"""Lightning mechanics of training: an iteration per step, metrics, stopping."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from lightning.pytorch.strategies import ParallelStrategy
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from slimgan_pl.errors import SlimGANError, lacks_memory
from slimgan_pl.models import DiscriminatorBank
from slimgan_pl.training.compatibility import check_callbacks, check_capture
from slimgan_pl.training.ema import EMA, update_average
from slimgan_pl.training.iteration import Iteration, Side, Status
from slimgan_pl.training.iteration_inputs import iteration_seed
from slimgan_pl.training.logged import LoggedModule, Report, StepSettings
from slimgan_pl.training.losses import Objective
from slimgan_pl.training.penalties import Penalty
from slimgan_pl.training.schedules import Course, Schedules, Target, optimizer_targets
from slimgan_pl.training.updates import Updates
from slimgan_pl.utils.torch_state import follow_layout, tensor_float32

__all__ = ["Report", "StepSettings", "TrainedModule"]

Batch = tuple[Tensor, Tensor | None]


class TrainedModule(LoggedModule):
    """Base of the modules whose training step is one iteration.

    The optimizers are the generator's and the bank's. ``reports`` are those of the last two iterations.
    """

    discriminators: DiscriminatorBank
    objective: Objective
    penalty: Penalty
    ema: EMA
    schedules: Schedules
    optimizer_settings: list[list[dict[str, Any]]]  # as configured, by optimizer and parameter group
    critic_steps: int
    seed: int
    iteration: Iteration | None = None  # while it trains
    course: Course | None = None  # while it trains
    is_asked_to_stop: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.half_life: float | None = None  # of the averaged weights, as scheduled

    def setup(self, stage: str) -> None:
        device = self.trainer.strategy.root_device
        if device.type != "cuda" and getattr(self.trainer.strategy, "_layer_sync", None) is not None:
            raise SlimGANError("synchronised batch norm needs GPUs; leave --trainer.sync_batchnorm out")
        if stage == "fit":
            check_callbacks(self.trainer.callbacks)  # type: ignore[attr-defined]

    def on_train_start(self) -> None:
        settings, nets = self.step_settings, (self.generator, self.discriminators)
        optimizers: Any = self.optimizers()  # the generator's and the discriminators'
        for optimizer in optimizers:
            follow_layout(optimizer.optimizer)
        updates = Updates(
            *nets,
            self.objective,
            settings.free_graphs,
            settings.micro_batches,
            backward=self._add_gradients,
            penalty=self.penalty,
            augmenter=self.augmenter,
        )
        updates.penalizes = self.penalizes
        self.half_life = self.ema.half_life
        targets = self.schedule_targets(optimizers, updates.gamma)
        self.course = Course(self.schedules, self.trainer.estimated_stepping_batches, targets)
        if settings.compile:
            updates.compile()
        if settings.cuda_graphs:
            check_capture(self.device, isinstance(self.trainer.strategy, ParallelStrategy), self.trainer.precision)
        first, second = optimizers
        # The strategy takes the discriminators' step, not the LightningOptimizer: global_step counts iterations.
        step = partial(self.trainer.strategy.optimizer_step, second.optimizer, lambda: None)
        sides = Side(first, first.step), Side(second, step)
        watch_gradients = self.trainer.precision != "16-mixed"
        self.iteration = Iteration(updates, *sides, self.critic_steps, settings.cuda_graphs, watch_gradients)
        self.throughput.start()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        self.throughput.begin_iteration()

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        assert self.iteration is not None
        assert self.course is not None
        images, labels = batch
        shown, number = len(images) * self.trainer.world_size, self.global_step
        self.scheduled = self.course.set(number * shown, shown)
        images = images.to(self.generator.dtype)
        seed = iteration_seed(self.seed, self.global_step, self.global_rank)
        source = torch.Generator(images.device).manual_seed(seed)
        labels = labels if self.generator.num_classes else None
        self.iteration.updates.measures_gradients = self.measures_gradients()
        with explaining_failures(), tensor_float32(self.step_settings.tf32):
            metrics = self.iteration(images, labels, source, self.is_asked_to_stop, number)
        if self.averaged_generator is not None:
            decay = self.ema.decay(shown, number * shown, self.half_life)
            update_average(self.averaged_generator, self.generator, decay)
            self.has_moved = True
        self.reports.append(Report(self.global_step, self.with_last_penalty(metrics), self.iteration.status))
        self.log_metrics_of_iteration()
        self.throughput.end_iteration(shown)

    def on_validation_start(self) -> None:
        self.throughput.pause()

    def on_train_end(self) -> None:
        self.settle_average()
        self.iteration = self.course = None
        self.is_asked_to_stop = False

    @property
    def penalizes(self) -> bool:
        """True if there is a gradient penalty, at once or later."""
        return self.penalty.gamma > 0 or self.schedules.gamma is not None

    @property
    def real_batches(self) -> int:
        """Batches of real images that an iteration takes."""
        return self.objective.real_batches(self.critic_steps, self.generator.num_classes)

    def schedule_targets(self, optimizers: Sequence[Any], gamma: Tensor) -> list[Target]:
        """Return what schedules may move.

        Args:
            optimizers: The generator's and the bank's.
            gamma: Weight of the penalty, filled in place.
        """
        sides = zip(optimizers, self.optimizer_settings, ("generator_", "discriminator_"), strict=True)
        targets = [target for side in sides for target in optimizer_targets(*side)]
        targets.append(Target("gamma", self.penalty.gamma, gamma.fill_))
        if self.ema.half_life is not None:
            targets.append(Target("half_life", self.ema.half_life, partial(setattr, self, "half_life")))
        if self.augmenter is not None and not self.augmenter.is_adaptive:
            targets.append(Target("p", self.augmenter.settings.first_p, self.augmenter.p.fill_))
        return targets

    def request_stop(self) -> None:
        """Ask all processes to end training; the next iteration tells them."""
        self.is_asked_to_stop = True

    @property
    def is_stopping(self) -> bool:
        """Whether all processes know of a request to stop.

        It is the same on each of them.
        """
        if self.trainer.world_size == 1:
            return self.is_asked_to_stop
        report = self.settled_report
        return report is not None and Status(*report.status.tolist()).stop > 0

    def _add_gradients(self, loss: Tensor, **settings: Any) -> None:
        """Add this process's gradients; an update averages them over processes once."""
        wrapped: Any = self.trainer.model
        context: AbstractContextManager[None] = wrapped.no_sync() if hasattr(wrapped, "no_sync") else nullcontext()
        with context:
            self.manual_backward(loss, **settings)

    @property
    def settled_report(self) -> Report | None:
        """Newest report that can be read without waiting for the device.

        On a GPU it is that of the iteration before.
        """
        settled = list(self.reports) if self.device.type == "cpu" else list(self.reports)[:-1]
        return settled[-1] if settled else None


@contextmanager
def explaining_failures() -> Iterator[None]:
    """Turn a failed compilation or allocation into a SlimGANError."""
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
