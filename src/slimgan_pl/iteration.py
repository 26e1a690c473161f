"""One iteration of the paper: ``critic_steps`` updates of all discriminators, then one of the generator."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from slimgan_pl.capture import WARM_UP, CapturedUpdate
from slimgan_pl.distributed import average_gradients
from slimgan_pl.errors import UserError
from slimgan_pl.latents import Latents, draw_latents
from slimgan_pl.updates import Figures, Updates

__all__ = ["Iteration", "Player"]


class Player(NamedTuple):
    """One side's optimizer, and what takes its step."""

    optimizer: Optimizer
    step: Callable[[], Any]


class Iteration:
    """Runs iterations: draws latents, computes gradients, averages them over processes once an update, and steps.

    Nothing in it makes the host wait for the device.

    Args:
        updates: What computes the gradients.
        generator: The generator's side.
        discriminators: The discriminators' side.
        critic_steps: Discriminator updates per iteration.
        cuda_graphs: Whether to capture each update as a CUDA graph.
    """

    def __init__(
        self, updates: Updates, generator: Player, discriminators: Player, critic_steps: int, cuda_graphs: bool = False
    ) -> None:
        self.updates, self.critic_steps = updates, critic_steps
        self.generator, self.discriminators = generator, discriminators
        self.update_discriminators: Callable[..., tuple[Figures, list[Tensor]]] = updates.discriminators
        self.update_last: Callable[..., tuple[Figures, list[Tensor]]] = updates.discriminators
        self.update_generator: Callable[..., Figures] = updates.generate
        if cuda_graphs:
            bank = updates.bank.parameters
            self.update_discriminators = CapturedUpdate(updates.discriminators, bank(), WARM_UP * (critic_steps - 1))
            self.update_last = CapturedUpdate(updates.discriminators, bank())
            self.update_generator = CapturedUpdate(updates.generate, updates.generator.parameters())

    def __call__(self, real: Tensor, labels: Tensor | None, source: torch.Generator) -> Figures:
        """Take all steps of one iteration.

        Args:
            real: Images ``(critic_steps * N, C, H, W)`` in [-1, 1].
            labels: Integers ``(critic_steps * N,)``, or None.
            source: Of the latents, on the device of the images.

        Returns:
            What the last updates computed: a number per width for each name.

        Raises:
            UserError: If a batch cannot be split into micro-batches.
        """
        batch_size = len(real) // self.critic_steps
        if batch_size % self.updates.micro_batches:
            raise UserError(
                f"a batch of {batch_size} images cannot be split into {self.updates.micro_batches} equal parts; set "
                "micro_batches to a number that divides it"
            )
        draws = self._draw(batch_size, source)
        figures: Figures = {}
        fakes: list[Tensor] = []
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
            self.discriminators.step()
        self.generator.optimizer.zero_grad()
        figures = figures | self.update_generator(*draws[-1], fakes=fakes)
        average_gradients(self.updates.generator)
        self.generator.step()
        return figures

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
