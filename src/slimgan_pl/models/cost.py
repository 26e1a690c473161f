"""Parameters and multiply-accumulates of a width."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from slimgan_pl.models.generator import SlimmableGenerator
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["MacCounter", "count_macs", "count_parameters"]


class MacCounter(TorchDispatchMode):
    """Context that counts multiply-accumulates of convolutions and linear layers, forward and backward.

    A transposed convolution counts at the resolution of its input, where it multiplies.

    NOTE: torch's ``FlopCounterMode`` looks at the inputs of modules too, and fails under no_grad where one of them is
    a view of a parameter, such as a learned constant (torch 2.14).

    Attributes:
        macs: The number so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = 0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if func is torch.ops.aten.convolution_backward.default:
            self.macs += count_backward(*args)
            return func(*args, **named)
        count = flop_registry.get(func.overloadpacket)
        if count is None and func.namespace == "aten":
            with self:  # in inference mode, an operation arrives whole
                parts = func.decompose(*args, **named)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **named)
        if count is None:
            return result
        self.macs += int(count(*args, **named, out_val=result)) // 2
        return result


def count_backward(gradient: Tensor, inputs: Tensor, weight: Tensor, *others: Any) -> int:
    """Return the multiply-accumulates of the backward pass of a convolution: its forward pass's for each gradient.

    NOTE: torch's formula forgets the groups in the gradient of the weight, and counts it times their number (2.14).
    """
    *_, is_transposed, _, _, (of_inputs, of_weight, _) = others
    forward = (inputs if is_transposed else gradient).numel() * weight[0].numel()
    return forward * (bool(of_inputs) + bool(of_weight))


def count_parameters(generator: SlimmableGenerator, width: float) -> int:
    """Return the number of parameters of one width alone."""
    try:
        with torch.device("meta"):  # shapes without values
            narrow = type(generator)(**generator.arguments_at(width))
    except (NotImplementedError, RuntimeError):  # of a third-party net that reads a value
        narrow = generator.slice(width)
    return sum(parameter.numel() for parameter in narrow.parameters())


@torch.no_grad()
def count_macs(generator: SlimmableGenerator, width: float) -> int:
    """Return the multiply-accumulates of convolutions and linear layers for one image."""
    latents = torch.zeros(1, generator.latent_dim, device=generator.device, dtype=generator.dtype)
    labels = torch.zeros(1, device=generator.device, dtype=torch.long) if generator.num_classes else None
    with evaluating(generator), MacCounter() as counter:
        generator(latents, labels, width=width)
    macs: int = counter.macs
    return macs
