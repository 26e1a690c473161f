"""Memory that generating images takes beside the weights."""

import weakref
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import Inputs, SlimmableGenerator
from slimgan_pl.profiling.latency import make_inputs
from slimgan_pl.utils.environment import memory_size, synchronize

__all__ = ["check_memory", "memory_kind", "peak_bytes"]


def memory_kind(device: torch.device) -> str:
    """Return the definition of ``peak_bytes`` on a device, in words."""
    if device.type == "cuda":
        return "most bytes that PyTorch's allocator has given out, beside the weights"
    return "most bytes of tensors that live at once, beside the weights"


@torch.no_grad()
def peak_bytes(net: SlimmableGenerator, batch_size: int) -> int:
    """Return the most bytes that a batch takes beside weights and inputs.

    The net is in evaluation mode. On CUDA these are the allocator's bytes, with the workspace of cuDNN; elsewhere those
    of tensors, without the workspace of kernels.
    """
    inputs = make_inputs(net, batch_size)
    device = net.device
    if device.type != "cuda":
        return live_bytes(net, inputs)
    synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    net(*inputs)
    synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


@torch.no_grad()
def live_bytes(net: SlimmableGenerator, inputs: Inputs) -> int:
    """Return the most bytes of tensors that a batch keeps at once.

    It is a sum of sizes without weights and inputs, the same each time and on every machine.
    """
    storages = LiveStorages([*net.parameters(), *net.buffers(), *(part for part in inputs if part is not None)])
    with storages:
        net(*inputs)
    return storages.peak


class LiveStorages(TorchDispatchMode):
    """Sum of the living storages that operations made, without those of ``given``."""

    def __init__(self, given: Collection[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._given = {tensor.untyped_storage().data_ptr() for tensor in given}
        self._live: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        self.peak = max(self.peak, sum(self._live.values()))
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        place = storage.data_ptr()  # 0 of an empty one
        if place and place not in self._given and place not in self._live:
            self._live[place] = storage.nbytes()
            weakref.finalize(storage, self._live.pop, place, None)


def check_memory(net: SlimmableGenerator, batch_size: int) -> None:
    """Raise a SlimGANError if a batch exceeds the memory of the device."""
    inputs = make_inputs(net, 1)
    per_image = live_bytes(net, inputs) + inputs.latents.nbytes
    size = memory_size(net.device)
    if size is not None and batch_size * per_image > size:
        raise SlimGANError(
            f"the memory is too small for a batch of {batch_size:,} images: each takes {per_image / 1e6:.3g} MB, and "
            f"there are {size / 1e9:.3g} GB; lower the batch size"
        )
