"""Optimizers of both sides."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from slimgan_pl.errors import SlimGANError, check_range

__all__ = ["ADAM", "adam", "make_optimizer"]

ADAM: dict[str, Any] = {
    "class_path": "torch.optim.Adam",
    "init_args": {"lr": 2e-4, "betas": [0.5, 0.999], "fused": True},
}

UNSUITED = (torch.optim.LBFGS, torch.optim.SparseAdam)  # need a closure, or sparse gradients


def adam(parameters: Iterable[Tensor]) -> Optimizer:
    """Make the paper's optimizer for DCGAN, which ``ADAM`` holds in plain values."""
    return torch.optim.Adam(parameters, **ADAM["init_args"])


def make_optimizer(make: Callable[..., Optimizer], net: nn.Module) -> Optimizer:
    """Return the optimizer of a net's parameters.

    Raises:
        SlimGANError: If the optimizer refuses its settings, cannot train these nets, or has a wrong learning rate.
    """
    try:
        optimizer = make(net.parameters())
    except (TypeError, ValueError, RuntimeError) as error:
        raise SlimGANError(f"the optimizer refuses its settings: {error}") from error
    if isinstance(optimizer, UNSUITED):
        raise SlimGANError(f"{type(optimizer).__name__} cannot train these nets; take another, such as Adam")
    for group in optimizer.param_groups:
        check_range("the optimizer's learning rate", float(group.get("lr", 0)), 0)
    return optimizer
