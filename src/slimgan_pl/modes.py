"""States that a net, or PyTorch, is put into for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

__all__ = ["evaluating", "exact_float32", "frozen", "tensor_float32"]


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
    with (
        whole_matmuls(),
        torch.autocast(device.type, enabled=False),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
    ):
        yield


@contextmanager
def whole_matmuls() -> Iterator[None]:
    """Multiply float32 matrices in float32, whichever of PyTorch's two ways said otherwise."""
    backends: list[Any] = [torch.backends.cuda.matmul, getattr(torch.backends.mkldnn, "matmul", None)]
    if not all(hasattr(backend, "fp32_precision") for backend in backends):  # before torch 2.9
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(precision)
        return
    precisions = [backend.fp32_precision for backend in backends]
    for backend in backends:
        backend.fp32_precision = "ieee"
    try:
        yield
    finally:
        for backend, precision in zip(backends, precisions, strict=True):
            backend.fp32_precision = precision


@contextmanager
def tensor_float32(allowed: bool | None) -> Iterator[None]:
    """Let NVIDIA's tensor cores round the factors of float32 products to TF32, or not; None leaves it as it is."""
    if allowed is None:
        yield
        return
    backends: list[tuple[Any, str]] = [(torch.backends.cuda.matmul, "fp32_precision")]
    backends.append((getattr(torch.backends.cudnn, "conv", None), "fp32_precision"))
    choice: str | bool = "tf32" if allowed else "ieee"
    if not all(hasattr(*pair) for pair in backends):  # before torch 2.9
        backends = [(torch.backends.cuda.matmul, "allow_tf32"), (torch.backends.cudnn, "allow_tf32")]
        choice = allowed
    before = [getattr(*pair) for pair in backends]
    for backend, name in backends:
        setattr(backend, name, choice)
    try:
        yield
    finally:
        for (backend, name), value in zip(backends, before, strict=True):
            setattr(backend, name, value)
