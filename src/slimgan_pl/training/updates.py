"""Losses and gradients of the two updates of an iteration.

The caller has the optimizers, processes, randomness and logs, so an update can be compiled or captured as it is.
Shape legend: N images, C channels, H = W pixels a side. An index is the position of a width, narrow to wide.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize
from torch.utils import _pytree as pytree

from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator
from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.gradient_norms import NORM, branch_norms, copy_gradients, norm_of_change
from slimgan_pl.training.losses import Objective, distillation_loss, find_teachers
from slimgan_pl.utils.torch_state import frozen

__all__ = ["Metrics", "Updates", "WidthInputs"]

WidthInputs = Mapping[int, Inputs]  # index of each width that takes part -> what it samples from

Metrics = dict[str, dict[int, Tensor]]  # name -> index of a width -> a number without a graph


class Updates:
    """Gradients of one discriminator or generator update, added to the nets'.

    Any widths may take part; the others get no gradient. While ``measures_gradients``, the metrics hold the norms of
    what each width adds to the generator's gradient, and of the gradient of each discriminator's own layers.

    Args:
        generator: The slimmable generator.
        discriminators: The bank.
        objective: The losses.
        free_graphs: Free each width's graph before the next is built, the discriminator update's too. It costs
            launches and, with shared latents, a second sampling of the fakes.
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
        self.free_graphs, self.micro_batches, self.backward = free_graphs, micro_batches, backward
        self.generate: Callable[..., Tensor] = generator
        self.discriminate: Callable[..., Tensor] = discriminators
        self.discriminate_all: Callable[..., list[tuple[Tensor, Tensor]]] = discriminators.forward_all
        self.discriminate_branch: Callable[..., tuple[Tensor, Tensor]] = discriminators.forward_branch
        self.trunk: Callable[..., Tensor] = discriminators.trunk

    @property
    def keeps_fakes(self) -> bool:
        """Whether the generator update starts from the discriminator update's fakes."""
        return self.objective.shared_latents and not self.free_graphs and self.micro_batches == 1

    def compile(self, backend: str = "inductor") -> None:
        """Compile generator and bank for the updates, but leave the modules alone.

        There is a program for each width with a graph and without, for each branch and for all branches together.
        """
        allow_programs(3 * len(self.generator.widths) + 1)
        if self.free_graphs or self.micro_batches > 1:  # several backward passes through the weights' graphs
            torch._functorch.config.donated_buffer = False
        self.generate = torch.compile(self.generator.forward, backend=backend)
        self.discriminate = torch.compile(self.bank.forward, backend=backend)
        self.discriminate_all = torch.compile(self.bank.forward_all, backend=backend)
        self.discriminate_branch = torch.compile(self.bank.forward_branch, backend=backend)
        self.trunk = torch.compile(self.bank.trunk.forward, backend=backend)

    # Discriminators

    def train_discriminators(
        self, real: Tensor, real_labels: Tensor | None, inputs: WidthInputs, keep: bool = False
    ) -> tuple[Metrics, dict[int, Tensor]]:
        """Add the gradients of the discriminators of the widths that take part.

        Args:
            real: Images ``(N, C, H, W)`` in [-1, 1].
            real_labels: Integers ``(N,)``, or None.
            inputs: N latents and labels of each width.
            keep: Whether to return the fakes, with the graphs that lead to them.

        Returns:
            ``discriminator_loss``, ``real_logits``, ``fake_logits`` and norms if they are measured, and the fakes by
            width or nothing.
        """
        update = self._width_by_width if self.free_graphs else self._all_widths
        fakes: dict[int, Tensor] = {}
        parts = []
        with parametrize.cached():  # one power iteration of the spectral norm
            for part in self._split((real, real_labels, dict(inputs), keep)):
                metrics, fakes = update(*part)
                parts.append(metrics)
        metrics = average_parts(parts)
        if self.measures_gradients:
            metrics[f"discriminator{NORM}"] = branch_norms(self.bank.branches, self.bank.heads, inputs)
        return metrics, fakes if keep else {}

    def _all_widths(
        self, real: Tensor, real_labels: Tensor | None, inputs: WidthInputs, keep: bool
    ) -> tuple[Metrics, dict[int, Tensor]]:
        with torch.set_grad_enabled(keep):
            fakes = {index: self._generate(index, inputs[index]) for index in sorted(inputs)}
        images = {index: fake.detach() for index, fake in fakes.items()}
        labels = {index: inputs[index].labels for index in images}
        if len(images) == self.bank.num_branches:
            fake_labels = None if real_labels is None else list(labels.values())
            pairs = self.discriminate_all(real, list(images.values()), real_labels, fake_labels)
        else:
            shared = self.trunk(real)
            pairs = [
                self.discriminate_branch(shared, self.trunk(images[index]), real_labels, labels[index], index)
                for index in images
            ]
            del shared  # the graph keeps what it needs
        logits = dict(zip(images, pairs, strict=True))
        losses = {index: self.objective.loss.discriminator(*pair) for index, pair in logits.items()}
        self._add_gradients(torch.stack(list(losses.values())).sum(), retain_graph=self.micro_batches > 1)
        return discriminator_metrics(losses, logits), fakes

    def _width_by_width(
        self, real: Tensor, real_labels: Tensor | None, inputs: WidthInputs, keep: bool
    ) -> tuple[Metrics, dict[int, Tensor]]:
        """Free each width's graph; the trunk sees real images once."""
        shared_real = self.trunk(real)
        leaf = shared_real.detach().requires_grad_(shared_real.requires_grad)
        losses: dict[int, Tensor] = {}
        logits: dict[int, tuple[Tensor, Tensor]] = {}
        for index in sorted(inputs):
            losses[index], logits[index] = self._discriminator_step(index, leaf, real_labels, inputs[index])
        if leaf.grad is not None:
            shared_real.backward(leaf.grad, retain_graph=self.micro_batches > 1)
        return discriminator_metrics(losses, logits), {}

    def _discriminator_step(
        self, index: int, shared_real: Tensor, real_labels: Tensor | None, inputs: Inputs
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Add one discriminator's gradients, and return its detached loss and logits."""
        with torch.no_grad():
            fake = self._generate(index, inputs)
        real, fake = self.discriminate_branch(shared_real, self.trunk(fake), real_labels, inputs.labels, index)
        loss = self.objective.loss.discriminator(real, fake)
        self._add_gradients(loss, retain_graph=True)  # of the normalised weights; the rest goes with its tensors
        return loss.detach(), (real.detach(), fake.detach())

    # Generator

    def train_generator(
        self, inputs: WidthInputs, distilled: Inputs | None = None, fakes: Mapping[int, Tensor] | None = None
    ) -> Metrics:
        """Add the gradients of the generator; the bank gets none.

        Args:
            inputs: N latents and labels of each width that takes part.
            distilled: N latents and labels for distillation at every width; None distils the images of ``inputs``,
                which then have to be the same for all widths.
            fakes: Images of ``inputs`` by width with their graphs; None generates them here.

        Returns:
            ``generator_loss``, the ``distillation_loss`` of all widths that have a teacher, and norms if they are
            measured.
        """
        with parametrize.cached(), frozen(self.bank):
            split = self._split((dict(inputs), distilled))
            parts = [self._train_widths(own, shared, fakes or {}) for own, shared in split]
        return average_parts(parts)

    def _train_widths(self, inputs: WidthInputs, distilled: Inputs | None, fakes: Mapping[int, Tensor]) -> Metrics:
        metrics: Metrics = {"generator_loss": {}, "distillation_loss": {}, f"generator{NORM}": {}}
        teachers = find_teachers(sorted(inputs), self.objective.distill_target)
        outputs: dict[int, Tensor] = {}  # images that a student learns from
        parameters = list(self.generator.parameters())
        for index in sorted(inputs, reverse=True):  # a teacher before its student
            before = copy_gradients(parameters) if self.measures_gradients else []
            images, loss = self._adversarial_step(index, inputs[index], fakes.get(index))
            metrics["generator_loss"][index] = loss.detach()
            if teachers and distilled is not None:
                self._add_gradients(loss)  # frees the graph of the adversarial loss
                loss = loss.new_zeros(())
                with torch.set_grad_enabled(index in teachers):
                    images = self._generate(index, distilled)
            if index in teachers:
                distillation, distance = self._distillation_step(images, outputs[teachers[index]], len(teachers))
                metrics["distillation_loss"][index] = distance
                loss = loss + distillation
            if loss.requires_grad:
                self._add_gradients(loss)
            outputs[index] = images.detach()
            if self.measures_gradients:
                metrics[f"generator{NORM}"][index] = norm_of_change(parameters, before)
        return {name: dict(sorted(values.items())) for name, values in metrics.items() if values}

    def _adversarial_step(self, index: int, inputs: Inputs, images: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return images ``G_i(z)``, and the generator's loss of ``D_i(G_i(z))``."""
        images = self._generate(index, inputs) if images is None else images
        return images, self.objective.loss.generator(self.discriminate(images, inputs.labels, branch=index))

    def _distillation_step(self, images: Tensor, teacher: Tensor, num_students: int) -> tuple[Tensor, Tensor]:
        """Return a share of the distillation loss, and ``MSE(G_i(z), G_j(z))``."""
        distance = distillation_loss(images, teacher)
        return self.objective.distill_weight / num_students * distance, distance.detach()

    # Both

    def _generate(self, index: int, inputs: Inputs) -> Tensor:
        return self.generate(inputs.latents, inputs.labels, width=self.generator.widths[index])

    def _split(self, inputs: Any) -> Iterator[Any]:
        """Yield the micro-batches of nested tensors, whose first dimension counts images."""
        for part in range(self.micro_batches):
            yield pytree.tree_map_only(Tensor, partial(take_part, number=part, count=self.micro_batches), inputs)

    def _add_gradients(self, loss: Tensor, retain_graph: bool = False) -> None:
        self.backward(loss / self.micro_batches, retain_graph=retain_graph)


def take_part(tensor: Tensor, number: int, count: int) -> Tensor:
    return tensor.chunk(count)[number]


def allow_programs(count: int) -> None:
    """Raise the compiler's limit of programs for one function."""
    config: Any = torch._dynamo.config
    name = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"  # before torch 2.7
    setattr(config, name, max(getattr(config, name), count))


def discriminator_metrics(losses: Mapping[int, Tensor], logits: Mapping[int, tuple[Tensor, Tensor]]) -> Metrics:
    return {
        "discriminator_loss": {index: loss.detach() for index, loss in losses.items()},
        "real_logits": {index: real.detach().mean() for index, (real, _) in logits.items()},
        "fake_logits": {index: fake.detach().mean() for index, (_, fake) in logits.items()},
    }


def average_parts(parts: Sequence[Metrics]) -> Metrics:
    """Return the mean metrics of equal parts."""
    if len(parts) == 1:
        return parts[0]
    return {
        name: {index: torch.stack([part[name][index] for part in parts]).mean() for index in values}
        for name, values in parts[0].items()
    }
