"""States that a net, or PyTorch, is put into for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["evaluating", "exact_float32", "frozen"]


@contextmanager
def frozen(net: nn.Module) -> Iterator[None]:
    """Keep a net's parameters out of the graph."""
    net.requires_grad_(False)
    try:
        yield
    finally:
        net.requires_grad_(True)


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Keep a net in evaluation mode, and put it back into its own."""
    training = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(training)


@contextmanager
def exact_float32(device: torch.device) -> Iterator[None]:
    """Compute in whole float32 by algorithms that repeat: no autocast, no TF32, no choice by timing."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.autocast(device.type, enabled=False),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
