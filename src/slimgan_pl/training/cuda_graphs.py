"""CUDA graphs: one launch for a whole update."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from slimgan_pl.errors import SlimGANError

__all__ = ["WARM_UP", "CapturedUpdate"]

WARM_UP = 3  # iterations before the capture: libraries choose kernels and reserve memory


class CapturedUpdate:
    """An update that a CUDA graph replays after ``warm_up`` calls.

    It adds gradients to ``parameters`` that have none and returns tensors, which the next replay overwrites. Its
    arguments are nested tensors of the same structure and shapes at each call, and keywords fixed at the capture.
    """

    stream: torch.cuda.Stream | None = None  # shared by all, since a stream keeps the memory that it frees

    def __init__(self, update: Callable[..., Any], parameters: Iterable[nn.Parameter], warm_up: int = WARM_UP) -> None:
        self.update, self.warm_up = update, warm_up
        self.parameters = list(parameters)
        self.calls = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.inputs: tuple[Any, ...] = ()
        self.gradients: list[Tensor | None] = []
        self.outputs: Any = None

    def __call__(self, *inputs: Any, **fixed: Any) -> Any:
        """Run or replay the update."""
        self.calls += 1
        if self.calls <= self.warm_up:
            return self._beside(*inputs, **fixed)
        if self.graph is None:
            self._capture(inputs, fixed)
        places, structure = pytree.tree_flatten(self.inputs)
        values, new_structure = pytree.tree_flatten(inputs)
        if new_structure != structure:
            raise SlimGANError("cuda_graphs needs the same widths in each iteration; leave one of them out")
        for place, value in zip(places, values, strict=True):
            if isinstance(place, Tensor):
                if value.shape != place.shape:
                    raise SlimGANError(
                        f"cuda_graphs needs batches of one size, and after {tuple(place.shape)} there is one of "
                        f"{tuple(value.shape)}; drop the last batch of an epoch, or leave cuda_graphs out"
                    )
                place.copy_(value)
        assert self.graph is not None
        self.graph.replay()
        for parameter, gradient in zip(self.parameters, self.gradients, strict=True):
            parameter.grad = gradient  # an optimizer's zero_grad removes it
        return self.outputs

    def _beside(self, *inputs: Any, **fixed: Any) -> Any:
        """Run on a separate stream, as a later capture requires."""
        if CapturedUpdate.stream is None:
            CapturedUpdate.stream = torch.cuda.Stream()
        stream, current = CapturedUpdate.stream, torch.cuda.current_stream()
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            result = self.update(*inputs, **fixed)
        current.wait_stream(stream)
        return result

    def _capture(self, inputs: tuple[Any, ...], fixed: dict[str, Any]) -> None:
        self.inputs = pytree.tree_map_only(Tensor, Tensor.clone, inputs)
        for parameter in self.parameters:
            parameter.grad = None  # allocated in the graph's own memory
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.outputs = self.update(*self.inputs, **fixed)
        self.gradients = [parameter.grad for parameter in self.parameters]
