"""Collectives over groups of tensors; without several processes they do nothing."""

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["average"]


@torch.no_grad()
def average(tensors: Iterable[Tensor]) -> None:
    """Replace float tensors by their mean over all processes, with one collective per precision."""
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return
    groups: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        groups.setdefault(tensor.dtype, []).append(tensor)
    for group in groups.values():
        flat = torch.cat([tensor.flatten() for tensor in group])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for tensor, mean in zip(group, flat.split([tensor.numel() for tensor in group]), strict=True):
            tensor.copy_(mean.view_as(tensor))
