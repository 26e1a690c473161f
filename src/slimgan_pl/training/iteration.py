"""Iteration of the paper: discriminator updates, then a generator update."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from slimgan_pl.training.compatibility import check_parts
from slimgan_pl.training.cuda_graphs import WARM_UP, CapturedUpdate
from slimgan_pl.training.gradient_norms import NORM
from slimgan_pl.training.iteration_inputs import IterationInputs, sample_inputs
from slimgan_pl.training.real_and_fake import Images
from slimgan_pl.training.updates import Metrics, Updates
from slimgan_pl.utils.distributed import average_gradients, rank_and_world

__all__ = ["Iteration", "Side", "Status", "Steps"]


class Side(NamedTuple):
    """Optimizer of one side, and the function that takes its step."""

    optimizer: Optimizer
    step: Callable[[], Any]


class Status(NamedTuple):
    """Outcome of an iteration on all processes; 0 where all is well."""

    metrics: float  # above 0: a metric of some process is not finite
    stop: float  # above 0: some process has a request to stop
    discriminator_gradients: float  # above 0: a gradient is not finite
    generator_gradients: float  # above 0: a gradient is not finite


class Steps(NamedTuple):
    """Functions that compute the updates; captured ones replay CUDA graphs."""

    discriminators: Callable[..., tuple[Metrics, dict[int, Tensor]]]
    last: Callable[..., tuple[Metrics, dict[int, Tensor]]]  # the discriminator update before the generator's
    generator: Callable[..., Metrics]


class Iteration:
    """All steps of an iteration, none of which makes the host wait.

    Gradients are averaged over processes once an update, and batch-norm statistics with the generator's gradients.
    ``status`` is the outcome of the last iteration, as a tensor on the device in the order of ``Status``.

    Args:
        updates: The updates that compute the gradients.
        generator: The generator's side.
        discriminators: The discriminators' side.
        critic_steps: Discriminator updates per iteration.
        cuda_graphs: Whether to capture each update as a CUDA graph.
        watch_gradients: Whether gradients have to be finite; those of 16-mixed need not, as it skips such steps.
    """

    status: Tensor

    def __init__(
        self,
        updates: Updates,
        generator: Side,
        discriminators: Side,
        critic_steps: int,
        cuda_graphs: bool = False,
        watch_gradients: bool = True,
    ) -> None:
        self.updates, self.critic_steps = updates, critic_steps
        self.real_batches = updates.objective.real_batches(critic_steps, updates.generator.num_classes)
        self.generator, self.discriminators = generator, discriminators
        self.watch_gradients = watch_gradients
        plain = Steps(updates.train_discriminators, updates.train_discriminators, updates.train_generator)
        self.steps = {penalize: capture(updates, critic_steps) if cuda_graphs else plain for penalize in (False, True)}

    def __call__(
        self, real: Tensor, labels: Tensor | None, source: torch.Generator, stop: bool = False, number: int = 0
    ) -> Metrics:
        """Take all steps of one iteration.

        Args:
            real: Images ``(real_batches * N, C, H, W)`` in [-1, 1]: those of each discriminator update, then those that
                a relativistic generator update takes.
            labels: Integers ``(real_batches * N,)``, or None.
            source: Source of the random numbers, on the device of the images.
            stop: Whether ``status`` passes a request to stop to the other processes.
            number: Iterations before this one.

        Returns:
            Metrics of the last discriminator update and of the generator update.

        Raises:
            SlimGANError: If a batch cannot be split into micro-batches.
        """
        batch_size = len(real) // self.real_batches
        check_parts(batch_size, self.updates.micro_batches, self.updates.bank.batch_multiple)
        parts = real.split(batch_size)[: self.real_batches]
        part_labels = [None] * self.real_batches if labels is None else list(labels.split(batch_size))
        penalize = self.penalizes_at(number)
        inputs = sample_inputs(self.updates, self.critic_steps, parts[0], part_labels, source, penalize)
        metrics, fakes, wrong_first = self._train_discriminators(parts, part_labels, inputs, penalize)
        compared = Images(parts[-1], part_labels[-1], inputs.generator_randomness.real)
        metrics = metrics | self._train_generator(inputs, compared, fakes, penalize)
        losses = [value for name, values in metrics.items() if not name.endswith(NORM) for value in values.values()]
        wrong = not_finite(losses)
        told = torch.stack([wrong, torch.full_like(wrong, stop)])
        others = [buffer for buffer in self.updates.generator.buffers() if buffer.is_floating_point()] + [told]
        augmenter = self.updates.augmenter
        if augmenter is not None and augmenter.is_adaptive:
            others.append(torch.stack(list(metrics["real_sign"].values())).mean())
        average_gradients(self.updates.generator, others)
        self.status = torch.cat([told, torch.stack([wrong_first, self._wrong_gradients(self.updates.generator)])])
        self.generator.step()
        if augmenter is not None and augmenter.is_adaptive:
            augmenter.adapt(others[-1], number, len(real) * rank_and_world()[1])
        return metrics

    def penalizes_at(self, number: int) -> bool:
        """Return whether an iteration adds the gradient penalty."""
        return self.updates.penalizes and number % self.updates.penalty.every == 0

    def _train_discriminators(
        self, parts: Sequence[Tensor], labels: Sequence[Tensor | None], inputs: IterationInputs, penalize: bool
    ) -> tuple[Metrics, dict[int, Tensor], Tensor]:
        """Return the last update's metrics and fakes, and wrong gradients' count."""
        metrics: Metrics = {}
        fakes: dict[int, Tensor] = {}
        wrong = []
        steps = self.steps[penalize]
        for step in range(self.critic_steps):
            batch = parts[step], labels[step], inputs.critic[step], inputs.critic_randomness[step]
            is_last = step == self.critic_steps - 1
            self.discriminators.optimizer.zero_grad()
            update = steps.last if is_last else steps.discriminators
            metrics, fakes = update(*batch, keep=is_last and self.updates.keeps_fakes, penalize=penalize)
            average_gradients(self.updates.bank)
            wrong.append(self._wrong_gradients(self.updates.bank))
            self.discriminators.step()
        return metrics, fakes, torch.stack(wrong).sum()

    def _train_generator(
        self, inputs: IterationInputs, real: Images, fakes: dict[int, Tensor], penalize: bool
    ) -> Metrics:
        """Return the metrics of the generator update."""
        self.generator.optimizer.zero_grad()
        compared = real if self.updates.objective.loss.is_relativistic else None
        update = self.steps[penalize].generator
        return update(inputs.generator, inputs.distilled, compared, inputs.generator_randomness, fakes=fakes)

    def _wrong_gradients(self, net: nn.Module) -> Tensor:
        """Return 1.0 where a gradient is NaN or infinite, else 0.0."""
        gradients = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
        largest = get_total_norm(gradients, float("inf")) if self.watch_gradients else gradients[0].new_zeros(())
        return not_finite([largest])


def capture(updates: Updates, critic_steps: int) -> Steps:
    """Return updates that are captured as CUDA graphs."""
    bank = updates.bank.parameters
    first = CapturedUpdate(updates.train_discriminators, bank(), WARM_UP * (critic_steps - 1))
    last = CapturedUpdate(updates.train_discriminators, bank())
    return Steps(first, last, CapturedUpdate(updates.train_generator, updates.generator.parameters()))


def not_finite(tensors: Iterable[Tensor]) -> Tensor:
    """Return 1.0 where a number is not finite, else 0.0."""
    return (~torch.cat([tensor.flatten() for tensor in tensors]).isfinite().all()).float()
