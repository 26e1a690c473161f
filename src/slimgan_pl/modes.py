"""States that a net is put into for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["evaluating", "frozen"]


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
