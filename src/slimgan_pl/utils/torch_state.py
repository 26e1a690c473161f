"""Context managers for the state of a net or of PyTorch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from slimgan_pl.errors import SlimGANError

__all__ = [
    "evaluating",
    "exact_float32",
    "follow_layout",
    "frozen",
    "num_threads",
    "tensor_float32",
    "use_channels_last",
]


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
    """Keep a net in evaluation mode, then restore its mode."""
    training = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(training)


@contextmanager
def exact_float32(device: torch.device) -> Iterator[None]:
    """Compute in whole float32 by deterministic algorithms, without autocast or TF32.

    Algorithms are not chosen by timing, so that a computation gives the same bits each time.
    """
    with (
        whole_matmuls(),
        torch.autocast(device.type, enabled=False),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
    ):
        yield


@contextmanager
def whole_matmuls() -> Iterator[None]:
    """Multiply float32 matrices in float32, overriding both of PyTorch's settings."""
    backends: list[Any] = [torch.backends.cuda.matmul, getattr(torch.backends.mkldnn, "matmul", None)]
    if all(hasattr(backend, "fp32_precision") for backend in backends):
        with assigning(backends, "fp32_precision", "ieee"):
            yield
        return
    precision = torch.get_float32_matmul_precision()  # before torch 2.9
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


@contextmanager
def tensor_float32(allowed: bool | None) -> Iterator[None]:
    """Let NVIDIA's tensor cores round float32 products to TF32, or not.

    None leaves PyTorch's settings.
    """
    backends: list[Any] = [] if allowed is None else [torch.backends.cuda.matmul, torch.backends.cudnn]
    try:
        for backend in backends:
            _ = backend.allow_tf32
    except RuntimeError as error:  # torch 2.9 has a second setting and refuses to read the first where they differ
        raise SlimGANError("tf32 and PyTorch's fp32_precision contradict each other; leave one of them out") from error
    with assigning(backends, "allow_tf32", allowed):
        yield


@contextmanager
def assigning(targets: list[Any], name: str, value: object) -> Iterator[None]:
    """Set an attribute of several objects, then restore its values."""
    before = [getattr(target, name) for target in targets]
    for target in targets:
        setattr(target, name, value)
    try:
        yield
    finally:
        for target, old in zip(targets, before, strict=True):
            setattr(target, name, old)


@contextmanager
def num_threads(count: int | None) -> Iterator[None]:
    """Set the number of CPU threads; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def use_channels_last(net: nn.Module, channels_last: bool) -> None:
    """Lay out weights, and so outputs, with channels last or by default."""
    net.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


@torch.no_grad()
def follow_layout(optimizer: Optimizer) -> None:
    """Give an optimizer's states the memory layout of their parameters.

    NOTE: the states of a checkpoint keep the layout they were saved in, and fused optimizers on a CPU silently misread
    another layout.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
