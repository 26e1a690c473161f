"""Collectives and work shared among processes; no-ops for one process."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError

__all__ = [
    "average_gradients",
    "failing_together",
    "gather_objects",
    "gather_rows",
    "is_lost_process",
    "leave",
    "numbers_below",
    "rank_and_world",
    "share_batches",
]

Value = TypeVar("Value")


def rank_and_world() -> tuple[int, int]:
    """Return this process's number and the number of processes."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def leave() -> None:
    """End the process group, whose threads must not outlive the interpreter."""
    if rank_and_world()[1] > 1:
        dist.destroy_process_group()


def is_lost_process(error: BaseException) -> bool:
    """Return whether an error means that another process no longer answers."""
    words = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "gloo", "NCCL", "TCPStore")
    return rank_and_world()[1] > 1 and isinstance(error, RuntimeError) and any(word in str(error) for word in words)


@torch.no_grad()
def average_gradients(net: nn.Module, others: Iterable[Tensor] = ()) -> None:
    """Replace gradients and other float tensors by their mean over processes.

    It takes one collective per precision.
    """
    if rank_and_world()[1] == 1:
        return
    groups: dict[torch.dtype, list[Tensor]] = {}
    for tensor in (*(parameter.grad for parameter in net.parameters() if parameter.grad is not None), *others):
        groups.setdefault(tensor.dtype, []).append(tensor)
    for group in groups.values():
        flat = torch.cat([tensor.flatten() for tensor in group])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for tensor, mean in zip(group, flat.split([tensor.numel() for tensor in group]), strict=True):
            tensor.copy_(mean.view_as(tensor))


def share_batches(count: int, batch_size: int, rank: int, world: int) -> list[Tensor]:
    """Return a process's batches of the numbers ``0 ... count - 1``.

    Processes take whole batches in turn. Each number belongs to one process, and a batch holds the same numbers for any
    number of processes, so its results are the same to the last bit.

    >>> share_batches(5, 2, rank=0, world=2)
    [tensor([0, 1]), tensor([4])]
    """
    return list(torch.arange(count).split(batch_size)[rank::world])


def gather_rows(rows: Tensor, count: int, total: int, batch_size: int, device: torch.device) -> Tensor:
    """Return the rows ``(count, F)`` of all processes on each of them.

    They are on the host, in the order of their numbers. This process's rows are those of its numbers in
    ``share_batches(total, batch_size, ...)`` that are below ``count``, in turn; the collective runs on ``device``.
    """
    world = rank_and_world()[1]
    if world == 1:
        return rows
    shares = [numbers_below(count, share_batches(total, batch_size, rank, world)) for rank in range(world)]
    padded = torch.zeros(max(map(len, shares)), rows.shape[1], dtype=rows.dtype, device=device)
    padded[: len(rows)] = rows.to(device)
    parts = [torch.empty_like(padded) for _ in range(world)]
    dist.all_gather(parts, padded)
    gathered = torch.empty(count, rows.shape[1], dtype=rows.dtype)
    for share, part in zip(shares, parts, strict=True):
        gathered[share] = part[: len(share)].cpu()
    return gathered


def numbers_below(count: int, batches: Sequence[Tensor]) -> Tensor:
    """Return the numbers in batches that are below ``count``.

    >>> numbers_below(4, [torch.tensor([0, 1]), torch.tensor([4, 5])])
    tensor([0, 1])
    """
    numbers = torch.cat([torch.empty(0, dtype=torch.long), *batches])
    return numbers[numbers < count]


def gather_objects(value: Value) -> list[Value]:
    """Return the plain values of all processes on each of them."""
    world = rank_and_world()[1]
    values = [value] * world
    if world > 1:
        dist.all_gather_object(values, value)
    return values


@contextmanager
def failing_together() -> Iterator[None]:
    """Raise the error of one process on all, so that none waits."""
    own, message = None, None
    try:
        yield
    except Exception as error:
        own, message = error, str(error) if isinstance(error, SlimGANError) else f"{type(error).__name__}: {error}"
    failures = [failure for failure in gather_objects(message) if failure]
    if own is not None:
        raise own
    if failures:
        raise SlimGANError(failures[0])
