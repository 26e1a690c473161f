"""Optimizers of both sides, and their settings in a resumed run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from slimgan_pl.errors import SlimGANError, check_range

__all__ = ["ADAM", "adam", "make_optimizer", "read_settings", "use_configured_settings", "use_current_settings"]

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


def read_settings(optimizer: Optimizer) -> list[dict[str, Any]]:
    """Return the settings of each parameter group, such as ``lr``."""
    return [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]


def use_configured_settings(
    checkpoint: Mapping[str, Any], sides: Sequence[tuple[Callable[..., Optimizer], nn.Module, str]]
) -> None:
    """Put settings that have changed into the optimizers of a checkpoint's content.

    Args:
        checkpoint: The content, whose states change in place.
        sides: Maker, net and name of the setting of each optimizer.

    Raises:
        SlimGANError: If the content does not hold what an optimizer needs.
    """
    states = checkpoint["optimizer_states"]
    if not states:
        return  # they start fresh
    before = checkpoint.get("optimizer_settings") or [None] * len(states)  # version 0.1.0 saves none
    try:
        for saved, old, side in zip(states, before, sides, strict=True):
            use_current_settings(saved, old, *side)
    except SlimGANError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SlimGANError("the checkpoint's optimizer states are odd; resume from an earlier one") from error


def use_current_settings(
    saved: Mapping[str, Any],
    before: Sequence[Mapping[str, Any]] | None,
    make: Callable[..., Optimizer],
    net: nn.Module,
    setting: str,
) -> None:
    """Put changed settings into an optimizer's saved state, in place.

    Those that have not changed keep the saved values, which a schedule may have moved.

    Args:
        saved: State of the optimizer in a checkpoint.
        before: Settings that the run began with; None: those in ``saved``.
        make: Makes the optimizer, as it is configured now.
        net: Net that it trains.
        setting: Name of the setting ``make``, for messages.

    Raises:
        SlimGANError: If the optimizer needs other states than the saved ones.
    """
    groups, optimizer = saved["param_groups"], make_optimizer(make, net)
    now = read_settings(optimizer)
    before = groups if before is None else before
    lacking = find_state_names(make, net) - {name for state in saved["state"].values() for name in state}
    if (saved["state"] and lacking) or not len(groups) == len(before) == len(now):
        states = ", ".join(sorted(lacking)) or f"{len(now)} groups of parameters"
        raise SlimGANError(
            f"the checkpoint does not hold what {type(optimizer).__name__} needs ({states}); leave the class and flags "
            f"of --model.{setting} as they were"
        )
    for group, old, new in zip(groups, before, now, strict=True):
        group.update({key: value for key, value in new.items() if key not in old or old[key] != value})


def find_state_names(make: Callable[..., Optimizer], net: nn.Module) -> set[str]:
    """Return the names of an optimizer's states for a parameter."""
    parameter = torch.zeros_like(next(net.parameters()), requires_grad=True)
    parameter.grad = torch.zeros_like(parameter)
    optimizer = make([parameter])
    optimizer.step()
    return set(optimizer.state[parameter])
