"""Nets and settings that both updates of an iteration share."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator
from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.augmentation import Augmenter, apply_view
from slimgan_pl.training.losses import Objective
from slimgan_pl.training.penalties import NO_PENALTY, Penalty
from slimgan_pl.training.real_and_fake import Images

__all__ = ["UpdateBase"]


class UpdateBase:
    """Base of the updates, with the nets as the updates call them.

    Args:
        generator: The slimmable generator.
        discriminators: The bank.
        objective: The losses.
        free_graphs: Free each width's graph before the next is built, the discriminator update's too. It costs
            launches and, with shared latents, a second sampling of the fakes.
        micro_batches: Parts that a batch is computed in, one after the other; each has batch-norm statistics of its
            own.
        backward: Adds a loss's gradients, as ``Tensor.backward`` does.
        penalty: The gradient penalty.
        augmenter: Augments what the discriminators see, or None.

    Attributes:
        gamma: Weight of the penalty, on the device; a schedule fills it in place.
        penalizes: Whether there is a penalty.
        measures_gradients: Whether the metrics hold norms of gradients.
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
        penalty: Penalty = NO_PENALTY,
        augmenter: Augmenter | None = None,
    ) -> None:
        self.generator, self.bank, self.objective = generator, discriminators, objective
        self.free_graphs, self.micro_batches, self.backward = free_graphs, micro_batches, backward
        self.penalty = penalty
        self.gamma = torch.tensor(self.penalty.gamma, device=generator.device, dtype=generator.dtype)
        self.penalizes = self.penalty.gamma > 0
        self.augmenter = augmenter
        self.generate: Callable[..., Tensor] = generator
        self.discriminate: Callable[..., Tensor] = discriminators
        self.discriminate_all: Callable[..., list[tuple[Tensor, Tensor]]] = discriminators.forward_all
        self.discriminate_branch: Callable[..., tuple[Tensor, Tensor]] = discriminators.forward_branch
        self.branch_logits: Callable[..., Tensor] = discriminators.branch_logits
        self.trunk: Callable[..., Tensor] = discriminators.trunk

    @property
    def keeps_fakes(self) -> bool:
        """True if the generator update starts from the fakes before it."""
        return self.objective.shared_latents and not self.free_graphs and self.micro_batches == 1

    def compile(self, backend: str = "inductor") -> None:
        """Compile generator and bank for the updates, but leave the modules alone.

        There is a program for each width with a graph and without, for each branch and for all branches together. A
        relativistic loss and a penalty add some for each branch.
        """
        allow_programs(5 * len(self.generator.widths) + 2)
        if self.free_graphs or self.micro_batches > 1:  # several backward passes through the weights' graphs
            torch._functorch.config.donated_buffer = False
        self.generate = torch.compile(self.generator.forward, backend=backend)
        self.discriminate = torch.compile(self.bank.forward, backend=backend)
        self.discriminate_all = torch.compile(self.bank.forward_all, backend=backend)
        self.discriminate_branch = torch.compile(self.bank.forward_branch, backend=backend)
        self.branch_logits = torch.compile(self.bank.branch_logits, backend=backend)
        self.trunk = torch.compile(self.bank.trunk.forward, backend=backend)

    def generate_fakes(self, index: int, inputs: Inputs, noise: Any) -> Tensor:
        """Return images of one width; ``noise`` is what the generator's ``draw_noise`` returns."""
        more = {} if noise is None else {"noise": noise}
        return self.generate(*inputs, width=self.generator.widths[index], **more)

    def see(self, batch: Images) -> Tensor:
        """Return images as the discriminators see them, augmented."""
        return batch.images if batch.view is None else apply_view(batch.images, batch.view)

    def split(self, inputs: Any) -> Iterator[Any]:
        """Yield the micro-batches of nested tensors, whose first dimension counts images."""
        for part in range(self.micro_batches):
            yield pytree.tree_map_only(Tensor, partial(take_part, number=part, count=self.micro_batches), inputs)

    def add_gradients(self, loss: Tensor, retain_graph: bool = False) -> None:
        """Add the gradients of a micro-batch's loss."""
        self.backward(loss / self.micro_batches, retain_graph=retain_graph)


def take_part(tensor: Tensor, number: int, count: int) -> Tensor:
    return tensor.chunk(count)[number]


def allow_programs(count: int) -> None:
    """Raise the compiler's limit of programs for one function."""
    config: Any = torch._dynamo.config
    name = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"  # before torch 2.7
    setattr(config, name, max(getattr(config, name), count))
