"""Norms of gradients and of their changes."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn.utils import get_total_norm

__all__ = ["NORM", "branch_norms", "copy_gradients", "norm_of_change"]

NORM = "_gradient_norm"  # end of the names of metrics that are norms of gradients


def copy_gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor | None]:
    """Return copies of the gradients, None where a parameter has none."""
    return [None if parameter.grad is None else parameter.grad.clone() for parameter in parameters]


def norm_of_change(parameters: Iterable[nn.Parameter], before: Sequence[Tensor | None]) -> Tensor:
    """Return the Euclidean norm of the gradients added since ``before``."""
    added = [
        parameter.grad if old is None else parameter.grad - old
        for parameter, old in zip(parameters, before, strict=True)
        if parameter.grad is not None
    ]
    return get_total_norm(added)


def branch_norms(branches: nn.ModuleList, heads: nn.ModuleList, indices: Iterable[int]) -> dict[int, Tensor]:
    """Return by width its discriminator's gradient norm, without shared layers."""
    nothing = next(heads.parameters()).new_zeros(())
    norms = {}
    for index in sorted(indices):
        own = [branches[index], heads[index]] if len(heads) == len(branches) else [branches[index]]
        gradients = [parameter.grad for net in own for parameter in net.parameters() if parameter.grad is not None]
        norms[index] = get_total_norm(gradients) if gradients else nothing
    return norms
