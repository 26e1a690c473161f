"""One iteration of the paper: ``critic_steps`` updates of all discriminators, then one of the generator."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.training.compatibility import check_parts
from slimgan_pl.training.cuda_graphs import WARM_UP, CapturedUpdate
from slimgan_pl.training.gradient_norms import NORM
from slimgan_pl.training.updates import Figures, Updates
from slimgan_pl.utils.distributed import average_gradients

__all__ = ["Iteration", "Latents", "Player", "Status", "draw_latents", "iteration_seed"]

Latents = tuple[Tensor, Tensor | None]


class Player(NamedTuple):
    """One side's optimizer, and what takes its step."""

    optimizer: Optimizer
    step: Callable[[], Any]


class Status(NamedTuple):
    """How an iteration went, the same on all processes: numbers that are 0 where all is well."""

    figures: float  # not finite
    asked: float  # to stop, by any process
    discriminator_gradients: float  # not finite
    generator_gradients: float  # not finite


class Iteration:
    """Runs iterations: draws latents, computes gradients, averages them over processes once an update, and steps.

    Nothing in it makes the host wait for the device. ``status`` is how the last one went, as a tensor on the device in
    the order of ``Status``; it and batch-norm statistics are averaged in the message of the generator's gradients.

    Args:
        updates: What computes the gradients.
        generator: The generator's side.
        discriminators: The discriminators' side.
        critic_steps: Discriminator updates per iteration.
        cuda_graphs: Whether to capture each update as a CUDA graph.
        watch_gradients: Whether gradients have to be finite; those of 16-mixed need not, which leaves out such steps.
    """

    status: Tensor

    def __init__(
        self,
        updates: Updates,
        generator: Player,
        discriminators: Player,
        critic_steps: int,
        cuda_graphs: bool = False,
        watch_gradients: bool = True,
    ) -> None:
        self.updates, self.critic_steps = updates, critic_steps
        self.generator, self.discriminators = generator, discriminators
        self.watch_gradients = watch_gradients
        self.update_discriminators: Callable[..., tuple[Figures, list[Tensor]]] = updates.discriminators
        self.update_last: Callable[..., tuple[Figures, list[Tensor]]] = updates.discriminators
        self.update_generator: Callable[..., Figures] = updates.generate
        if cuda_graphs:
            bank = updates.bank.parameters
            self.update_discriminators = CapturedUpdate(updates.discriminators, bank(), WARM_UP * (critic_steps - 1))
            self.update_last = CapturedUpdate(updates.discriminators, bank())
            self.update_generator = CapturedUpdate(updates.generate, updates.generator.parameters())

    def __call__(self, real: Tensor, labels: Tensor | None, source: torch.Generator, asked: int = 0) -> Figures:
        """Take all steps of one iteration.

        Args:
            real: Images ``(critic_steps * N, C, H, W)`` in [-1, 1].
            labels: Integers ``(critic_steps * N,)``, or None.
            source: Of the latents, on the device of the images.
            asked: What ``status`` tells the other processes, if not 0.

        Returns:
            What the last updates computed: a number per width for each name.

        Raises:
            SlimGANError: If a batch cannot be split into micro-batches.
        """
        batch_size = len(real) // self.critic_steps
        check_parts(batch_size, self.updates.micro_batches)
        draws = self._draw(batch_size, source)
        figures, fakes, wrong_first = self._train_discriminators(batch_size, real, labels, draws)
        self.generator.optimizer.zero_grad()
        figures = figures | self.update_generator(*draws[-1], fakes=fakes)
        wrong = not_finite(numbers for name, numbers in figures.items() if not name.endswith(NORM))
        told = torch.stack([wrong, torch.full_like(wrong, asked)])
        average_gradients(self.updates.generator, [*statistics(self.updates.generator), told])
        self.status = torch.cat([told, torch.stack([wrong_first, self._wrong_gradients(self.updates.generator)])])
        self.generator.step()
        return figures

    def _train_discriminators(
        self, batch_size: int, real: Tensor, labels: Tensor | None, draws: list[Latents]
    ) -> tuple[Figures, list[Tensor], Tensor]:
        """Return what the last update computed, its fakes if they are kept, and how many had a wrong gradient."""
        figures: Figures = {}
        fakes: list[Tensor] = []
        wrong = []
        for step in range(self.critic_steps):
            part = slice(step * batch_size, (step + 1) * batch_size)
            is_last = step == self.critic_steps - 1
            self.discriminators.optimizer.zero_grad()
            figures, fakes = (self.update_last if is_last else self.update_discriminators)(
                real[part],
                None if labels is None else labels[part],
                *draws[step],
                keep=is_last and self.updates.keeps_fakes,
            )
            average_gradients(self.updates.bank)
            wrong.append(self._wrong_gradients(self.updates.bank))
            self.discriminators.step()
        return figures, fakes, torch.stack(wrong).sum()

    def _wrong_gradients(self, net: nn.Module) -> Tensor:
        """Return 1.0 where a gradient is NaN or infinite, else 0.0."""
        gradients = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
        largest = get_total_norm(gradients, float("inf")) if self.watch_gradients else gradients[0].new_zeros(())
        return not_finite([largest])

    def _draw(self, batch_size: int, source: torch.Generator) -> list[Latents]:
        """Return latents and labels of each discriminator update, and of the generator update.

        Shared latents are one batch for all widths, and the generator update goes on with those of the last
        discriminator update.
        """
        net, widths = self.updates.generator, len(self.updates.generator.widths)
        if self.updates.objective.shared_latents:
            draws = [draw_latents(net, 1, batch_size, source, repeats=widths) for _ in range(self.critic_steps)]
            return [*draws, draws[-1]]
        sets = [widths] * self.critic_steps + [widths + 1]
        return [draw_latents(net, count, batch_size, source) for count in sets]


def not_finite(tensors: Iterable[Tensor]) -> Tensor:
    """Return 1.0 where a number is NaN or infinite, else 0.0, on the device."""
    return (~torch.cat([tensor.flatten() for tensor in tensors]).isfinite().all()).float()


def statistics(net: nn.Module) -> list[Tensor]:
    """Return the buffers that each process moves by its own images."""
    return [buffer for buffer in net.buffers() if buffer.is_floating_point()]


def iteration_seed(seed: int, iteration: int, rank: int) -> int:
    """Return the seed of an iteration's latents on one process: a pure function, so that resuming is exact."""
    return int(np.random.SeedSequence([seed, iteration, rank]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def draw_latents(
    net: SlimmableGenerator, sets: int, batch_size: int, source: torch.Generator, repeats: int = 1
) -> Latents:
    """Draw latents ``(sets * repeats, batch_size, latent_dim)``, and labels ``(sets * repeats, batch_size)`` or None.

    ``repeats`` gives a single set several times.
    """
    latents, labels = net.draw_inputs(sets * batch_size, source)
    latents = latents.unflatten(0, (sets, batch_size)).expand(sets * repeats, -1, -1)
    return latents, None if labels is None else labels.unflatten(0, (sets, batch_size)).expand(sets * repeats, -1)
