"""Norms of gradients, and of what a width adds to them."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

__all__ = ["NORM", "branch_norms", "copy_gradients", "norm_of_change"]

NORM = "_gradient_norm"  # ends the names of figures that are norms of gradients


def copy_gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor | None]:
    """Return copies of the gradients that are there."""
    return [None if parameter.grad is None else parameter.grad.clone() for parameter in parameters]


def norm_of_change(parameters: Iterable[nn.Parameter], before: Sequence[Tensor | None]) -> Tensor:
    """Return the Euclidean norm of what was added to gradients since ``before``, on the device."""
    added = [
        parameter.grad if old is None else parameter.grad - old
        for parameter, old in zip(parameters, before, strict=True)
        if parameter.grad is not None
    ]
    return get_total_norm(added)


def branch_norms(branches: nn.ModuleList, heads: nn.ModuleList) -> Tensor:
    """Return the norm of the gradients of each discriminator's own layers, trunk and shared head left out, ``(W,)``."""
    nothing = next(heads.parameters()).new_zeros(())
    norms = []
    for number, branch in enumerate(branches):
        own = [branch, heads[number]] if len(heads) == len(branches) else [branch]
        gradients = [parameter.grad for net in own for parameter in net.parameters() if parameter.grad is not None]
        norms.append(get_total_norm(gradients) if gradients else nothing)
    return torch.stack(norms)
