"""The two updates of an iteration as functions of tensors: they compute losses and add gradients, and nothing else.

Optimizers, processes, randomness and logs are the caller's, so an update can be compiled or captured as it is.
Shape legend: W widths, narrow to wide; N images, C channels, H = W pixels a side.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator
from slimgan_pl.training.gradient_norms import NORM, branch_norms, copy_gradients, norm_of_change
from slimgan_pl.training.losses import AdversarialLoss, DistillTarget, distillation_loss, distillation_teacher
from slimgan_pl.utils.torch_state import frozen

__all__ = ["Figures", "Objective", "Updates"]

Figures = dict[str, Tensor]  # name -> a number per width (W,), without a graph


class Objective(NamedTuple):
    """What is minimised: a game, and who teaches whom with what weight."""

    game: AdversarialLoss
    distill_target: DistillTarget
    distill_weight: float
    shared_latents: bool


class Updates:
    """Adds the gradients of one discriminator or generator update to those that are there.

    ``latents`` are ``(W, N, latent_dim)`` in the discriminator update and ``(W + 1, N, latent_dim)`` in the
    generator's, whose last batch is distilled; shared latents repeat one batch. ``labels`` are ``(W, N)`` or
    ``(W + 1, N)`` integers, or None. While ``measures_gradients``, the figures hold the norms of what each width adds
    to the generator's gradient, and of the gradient of each discriminator's own layers.

    Args:
        generator: The slimmable generator.
        discriminators: The bank.
        objective: What is minimised.
        free_graphs: Free each width's graph before the next is built, the discriminator update's too. It costs nothing
            but launches, and with shared latents the drawing of the fakes once more.
        micro_batches: Parts that a batch is computed in, one after the other; each has batch-norm statistics of its
            own.
        backward: Adds a loss's gradients, as ``Tensor.backward`` does.
    """

    measures_gradients = False

    def __init__(
        self,
        generator: SlimmableGenerator,
        discriminators: DiscriminatorBank,
        objective: Objective,
        free_graphs: bool = False,
        micro_batches: int = 1,
        backward: Callable[..., None] = torch.autograd.backward,
    ) -> None:
        self.generator, self.bank, self.objective = generator, discriminators, objective
        self.free_graphs, self.micro_batches = free_graphs, micro_batches
        self.backward = backward
        self.draw: Callable[..., Tensor] = generator
        self.judge: Callable[..., Tensor] = discriminators
        self.judge_all: Callable[..., list[tuple[Tensor, Tensor]]] = discriminators.forward_all
        self.judge_branch: Callable[..., tuple[Tensor, Tensor]] = discriminators.forward_branch
        self.trunk: Callable[..., Tensor] = discriminators.trunk

    @property
    def keeps_fakes(self) -> bool:
        """Whether the generator update goes on from the fakes of the discriminator update before it."""
        return self.objective.shared_latents and not self.free_graphs and self.micro_batches == 1

    def compile(self, backend: str = "inductor") -> None:
        """Compile generator and bank for the updates alone; the modules and their state-dict keys stay as they are.

        There is a program for each width with a graph and without, for each branch and for all branches together.
        """
        allow_programs(3 * len(self.generator.widths) + 1)
        if self.free_graphs or self.micro_batches > 1:  # the weights' graphs are gone through several times
            torch._functorch.config.donated_buffer = False
        self.draw = torch.compile(self.generator.forward, backend=backend)
        self.judge = torch.compile(self.bank.forward, backend=backend)
        self.judge_all = torch.compile(self.bank.forward_all, backend=backend)
        self.judge_branch = torch.compile(self.bank.forward_branch, backend=backend)
        self.trunk = torch.compile(self.bank.trunk.forward, backend=backend)

    # Discriminators

    def discriminators(
        self, real: Tensor, real_labels: Tensor | None, latents: Tensor, labels: Tensor | None, keep: bool = False
    ) -> tuple[Figures, list[Tensor]]:
        """Add the gradients of all discriminators.

        Args:
            real: Images ``(N, C, H, W)`` in [-1, 1].
            real_labels: Integers ``(N,)``, or None.
            latents: A batch per width.
            labels: Labels per width, or None.
            keep: Whether to return the fakes, with the graphs that lead to them.

        Returns:
            ``discriminator_loss``, ``real_logits``, ``fake_logits`` and norms if they are measured, and the fakes of
            all widths or nothing.
        """
        update = self._width_by_width if self.free_graphs else self._all_widths
        fakes: list[Tensor] = []
        parts = []
        with parametrize.cached():  # one power iteration of the spectral norm
            for part in self._parts((real, real_labels, latents, labels), (0, 0, 1, 1)):
                figures, fakes = update(keep, *part)
                parts.append(figures)
        figures = mean(parts)
        if self.measures_gradients:
            figures[f"discriminator{NORM}"] = branch_norms(self.bank.branches, self.bank.heads)
        return figures, fakes if keep else []

    def _all_widths(
        self, keep: bool, real: Tensor, real_labels: Tensor | None, latents: Tensor, labels: Tensor | None
    ) -> tuple[Figures, list[Tensor]]:
        with torch.set_grad_enabled(keep):
            fakes = [self._draw(index, latents, labels) for index in range(len(self.generator.widths))]
        inputs = [fake.detach() for fake in fakes]
        logits = self.judge_all(real, inputs, real_labels, None if labels is None else list(labels))
        losses = torch.stack([self.objective.game.discriminator(*pair) for pair in logits])
        self._add_gradients(losses.sum(), retain_graph=self.micro_batches > 1)
        return discriminator_figures(losses, logits), fakes

    def _width_by_width(
        self, keep: bool, real: Tensor, real_labels: Tensor | None, latents: Tensor, labels: Tensor | None
    ) -> tuple[Figures, list[Tensor]]:
        """Do the same with the graph of one width at a time; the real images go through the trunk only once."""
        shared_real = self.trunk(real)
        leaf = shared_real.detach().requires_grad_(shared_real.requires_grad)

        def update(index: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
            with torch.no_grad():
                fake = self._draw(index, latents, labels)
            fake_labels = None if labels is None else labels[index]
            pair = self.judge_branch(leaf, self.trunk(fake), real_labels, fake_labels, index)
            loss = self.objective.game.discriminator(*pair)
            self._add_gradients(loss, retain_graph=True)  # of the normalised weights; the rest goes with its tensors
            return loss.detach(), (pair[0].detach(), pair[1].detach())

        losses, logits = zip(*(update(index) for index in range(len(self.generator.widths))), strict=True)
        if leaf.grad is not None:
            shared_real.backward(leaf.grad, retain_graph=self.micro_batches > 1)
        return discriminator_figures(torch.stack(losses), logits), []

    # Generator

    def generate(self, latents: Tensor, labels: Tensor | None, fakes: Sequence[Tensor] = ()) -> Figures:
        """Add the gradients of the generator; the bank gets none.

        Args:
            latents: A batch per width, and one for distillation.
            labels: Labels per width and for distillation, or None.
            fakes: Images of all widths with their graphs, of the same latents; without any they are drawn here.

        Returns:
            ``generator_loss``, the ``distillation_loss`` of all widths that are taught, and norms if they are measured.
        """
        parts = []
        with parametrize.cached(), frozen(self.bank):
            for part in self._parts((latents, labels), (1, 1)):
                parts.append(self._generate_part(fakes, *part))
        return mean(parts)

    def _generate_part(self, fakes: Sequence[Tensor], latents: Tensor, labels: Tensor | None) -> Figures:
        adversarial: dict[int, Tensor] = {}
        distillation: dict[int, Tensor] = {}
        norms: dict[int, Tensor] = {}
        outputs: dict[int, Tensor] = {}
        parameters = list(self.generator.parameters())
        for index in reversed(range(len(self.generator.widths))):  # a teacher before its student
            fake = fakes[index] if fakes else None
            before = copy_gradients(parameters) if self.measures_gradients else []
            adversarial[index], taught = self._generate_width(index, latents, labels, fake, outputs)
            if taught is not None:
                distillation[index] = taught
            if self.measures_gradients:
                norms[index] = norm_of_change(parameters, before)
        named = {"generator_loss": adversarial, "distillation_loss": distillation, f"generator{NORM}": norms}
        return {name: in_order(values) for name, values in named.items() if values}

    def _generate_width(
        self, index: int, latents: Tensor, labels: Tensor | None, fake: Tensor | None, outputs: dict[int, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Add the gradients of one width, whose graphs are free afterwards, and put what it draws for its student."""
        num_widths, (game, target, weight, shared) = len(self.generator.widths), self.objective
        images = self._draw(index, latents, labels) if fake is None else fake
        loss = game.generator(self.judge(images, None if labels is None else labels[index], branch=index))
        adversarial, distillation = loss.detach(), None
        teacher = distillation_teacher(index, num_widths, target)
        if target != "none" and num_widths > 1:
            if not shared:
                self._add_gradients(loss)
                loss = loss.new_zeros(())
                with torch.set_grad_enabled(teacher is not None):
                    images = self._draw(index, latents, labels, number=-1)
            outputs[index] = images.detach()
            if teacher is not None:
                taught = distillation_loss(images, outputs[teacher])
                loss, distillation = loss + weight / (num_widths - 1) * taught, taught.detach()
        if loss.requires_grad:
            self._add_gradients(loss)
        return adversarial, distillation

    # Both

    def _draw(self, index: int, latents: Tensor, labels: Tensor | None, number: int | None = None) -> Tensor:
        """Draw images of width ``index`` from batch ``number``, by default its own."""
        number = index if number is None else number
        return self.draw(
            latents[number], None if labels is None else labels[number], width=self.generator.widths[index]
        )

    def _parts(self, tensors: Sequence[Tensor | None], dims: Sequence[int]) -> Iterator[list[Any]]:
        """Yield the micro-batches of tensors whose images are counted along ``dims``."""
        for part in range(self.micro_batches):
            yield [
                None if tensor is None else tensor.chunk(self.micro_batches, dim)[part]
                for tensor, dim in zip(tensors, dims, strict=True)
            ]

    def _add_gradients(self, loss: Tensor, retain_graph: bool = False) -> None:
        self.backward(loss / self.micro_batches, retain_graph=retain_graph)


def allow_programs(count: int) -> None:
    """Let the compiler make as many programs of one function as a net has uses; by default it gives up after a few."""
    config: Any = torch._dynamo.config
    name = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"  # before torch 2.7
    setattr(config, name, max(getattr(config, name), count))


def discriminator_figures(losses: Tensor, logits: Sequence[tuple[Tensor, Tensor]]) -> Figures:
    return {
        "discriminator_loss": losses.detach(),
        "real_logits": torch.stack([real.detach().mean() for real, _ in logits]),
        "fake_logits": torch.stack([fake.detach().mean() for _, fake in logits]),
    }


def in_order(values: dict[int, Tensor]) -> Tensor:
    """Return numbers as one tensor, by their keys."""
    return torch.stack([values[key] for key in sorted(values)])


def mean(parts: Sequence[Figures]) -> Figures:
    """Return the mean figures of equal parts."""
    return {name: torch.stack([part[name] for part in parts]).mean(dim=0) for name in parts[0]}
