"""Iteration of the paper: discriminator updates, then a generator update."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.compatibility import check_parts
from slimgan_pl.training.cuda_graphs import WARM_UP, CapturedUpdate
from slimgan_pl.training.gradient_norms import NORM
from slimgan_pl.training.updates import Metrics, Updates, WidthInputs
from slimgan_pl.utils.distributed import average_gradients

__all__ = ["Iteration", "Side", "Status", "iteration_seed", "sample_batches"]


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
        self.generator, self.discriminators = generator, discriminators
        self.watch_gradients = watch_gradients
        self.update_discriminators: Callable[..., tuple[Metrics, dict[int, Tensor]]] = updates.train_discriminators
        self.update_last: Callable[..., tuple[Metrics, dict[int, Tensor]]] = updates.train_discriminators
        self.update_generator: Callable[..., Metrics] = updates.train_generator
        if cuda_graphs:
            bank = updates.bank.parameters
            self.update_discriminators = CapturedUpdate(
                updates.train_discriminators, bank(), WARM_UP * (critic_steps - 1)
            )
            self.update_last = CapturedUpdate(updates.train_discriminators, bank())
            self.update_generator = CapturedUpdate(updates.train_generator, updates.generator.parameters())

    def __call__(self, real: Tensor, labels: Tensor | None, source: torch.Generator, stop: bool = False) -> Metrics:
        """Take all steps of one iteration.

        Args:
            real: Images ``(critic_steps * N, C, H, W)`` in [-1, 1].
            labels: Integers ``(critic_steps * N,)``, or None.
            source: Source of the latents, on the device of the images.
            stop: Whether ``status`` passes a request to stop to the other processes.

        Returns:
            Metrics of the last discriminator update and of the generator update.

        Raises:
            SlimGANError: If a batch cannot be split into micro-batches.
        """
        batch_size = len(real) // self.critic_steps
        check_parts(batch_size, self.updates.micro_batches)
        critic_inputs, inputs, distilled = self._sample_inputs(batch_size, source)
        metrics, fakes, wrong_first = self._train_discriminators(batch_size, real, labels, critic_inputs)
        self.generator.optimizer.zero_grad()
        metrics = metrics | self.update_generator(inputs, distilled, fakes=fakes)
        losses = [value for name, values in metrics.items() if not name.endswith(NORM) for value in values.values()]
        wrong = not_finite(losses)
        told = torch.stack([wrong, torch.full_like(wrong, stop)])
        statistics = [buffer for buffer in self.updates.generator.buffers() if buffer.is_floating_point()]
        average_gradients(self.updates.generator, [*statistics, told])
        self.status = torch.cat([told, torch.stack([wrong_first, self._wrong_gradients(self.updates.generator)])])
        self.generator.step()
        return metrics

    def _train_discriminators(
        self, batch_size: int, real: Tensor, labels: Tensor | None, inputs: Sequence[WidthInputs]
    ) -> tuple[Metrics, dict[int, Tensor], Tensor]:
        """Return the last update's metrics and fakes, and wrong gradients' count."""
        metrics: Metrics = {}
        fakes: dict[int, Tensor] = {}
        wrong = []
        for step in range(self.critic_steps):
            part = slice(step * batch_size, (step + 1) * batch_size)
            is_last = step == self.critic_steps - 1
            self.discriminators.optimizer.zero_grad()
            metrics, fakes = (self.update_last if is_last else self.update_discriminators)(
                real[part],
                None if labels is None else labels[part],
                inputs[step],
                keep=is_last and self.updates.keeps_fakes,
            )
            average_gradients(self.updates.bank)
            wrong.append(self._wrong_gradients(self.updates.bank))
            self.discriminators.step()
        return metrics, fakes, torch.stack(wrong).sum()

    def _wrong_gradients(self, net: nn.Module) -> Tensor:
        """Return 1.0 where a gradient is NaN or infinite, else 0.0."""
        gradients = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
        largest = get_total_norm(gradients, float("inf")) if self.watch_gradients else gradients[0].new_zeros(())
        return not_finite([largest])

    def _sample_inputs(
        self, batch_size: int, source: torch.Generator
    ) -> tuple[Sequence[WidthInputs], WidthInputs, Inputs | None]:
        """Sample the inputs of each discriminator update, the generator update, and distillation.

        Shared latents are one batch for all widths, and the generator update takes those of the last discriminator
        update, also for distillation.
        """
        net, num_widths = self.updates.generator, len(self.updates.generator.widths)
        count = 1 if self.updates.objective.shared_latents else num_widths
        critic = [sample_batches(net, count, batch_size, source) for _ in range(self.critic_steps)]
        if self.updates.objective.shared_latents:
            shared = [dict.fromkeys(range(num_widths), batch) for (batch,) in critic]
            return shared, shared[-1], None
        *own, distilled = sample_batches(net, num_widths + 1, batch_size, source)
        return [dict(enumerate(batches)) for batches in critic], dict(enumerate(own)), distilled


def not_finite(tensors: Iterable[Tensor]) -> Tensor:
    """Return 1.0 where a number is not finite, else 0.0."""
    return (~torch.cat([tensor.flatten() for tensor in tensors]).isfinite().all()).float()


def iteration_seed(seed: int, iteration: int, rank: int) -> int:
    """Return the seed of an iteration's latents on one process.

    A pure function makes resuming exact.
    """
    return int(np.random.SeedSequence([seed, iteration, rank]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def sample_batches(net: SlimmableGenerator, count: int, batch_size: int, source: torch.Generator) -> list[Inputs]:
    """Sample batches of inputs at once."""
    latents, labels = net.draw_inputs(count * batch_size, source)
    split = [None] * count if labels is None else labels.split(batch_size)
    return [Inputs(*pair) for pair in zip(latents.split(batch_size), split, strict=True)]
