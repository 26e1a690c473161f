"""The order in which numbers lie in memory: channels last, as convolutions are fastest."""

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["follow_layout", "use_channels_last"]


def use_channels_last(net: nn.Module, channels_last: bool) -> None:
    """Lay a net's weights with channels last or as PyTorch does by default; its outputs follow them."""
    net.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


@torch.no_grad()
def follow_layout(optimizer: Optimizer) -> None:
    """Lay an optimizer's states like their parameters.

    NOTE: the states of a checkpoint lie as they were saved, and fused optimizers on a CPU silently take one for the
    other.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
