"""Stages whose activations are computed again in the backward pass, in place of being kept."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

__all__ = ["Stages", "run_stage"]

Result = TypeVar("Result")


def run_stage(stage: Callable[..., Result], *inputs: object, recompute: bool) -> Result:
    """Run a stage, which keeps no activations if it is recomputed.

    It has no random numbers of its own, and no statistics that a second pass would change.
    """
    if recompute and torch.is_grad_enabled():
        read_parametrized(stage)
        result: Result = checkpoint(stage, *inputs, use_reentrant=False, preserve_rng_state=False)
        return result
    return stage(*inputs)


def read_parametrized(stage: object) -> None:
    """Read a stage's parametrized weights, such as those of a spectral norm.

    Where ``parametrize.cached()`` keeps them, both passes through the stage then find them.
    """
    for module in stage.modules() if isinstance(stage, nn.Module) else ():
        for name in getattr(module, "parametrizations", ()):
            getattr(module, name)


class Stages(nn.Sequential):
    """Stages in a row, some of which are recomputed.

    Attributes:
        first: Number of the first of them in the net.
        recomputed: Stages of the net, from its first on, that are recomputed.
    """

    recomputed = 0

    def __init__(self, *stages: nn.Module, first: int = 0) -> None:
        super().__init__(*stages)
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        for number, stage in enumerate(self, start=self.first):
            x = run_stage(stage, x, recompute=number < self.recomputed)
        return x
