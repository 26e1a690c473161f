"""Copying the weights of one width out of a slimmable net."""

import torch
from torch import Tensor, nn

from slimgan_pl.layers.norm import PerWidth
from slimgan_pl.layers.sliced import ScaledConv2d

__all__ = ["copy_slice", "slice_gains"]


@torch.no_grad()
def copy_slice(source: nn.Module, target: nn.Module, index: int) -> None:
    """Copy one width's weights of a wide net into a narrow net.

    Both nets have the same modules, but for ``PerWidth`` lists, of which the target holds one entry. A tensor of the
    target is the leading block of the source's, times the gain of a ``ScaledConv2d``, and requires a gradient where
    that does.
    """

    def copy(full: Tensor, narrow: Tensor) -> None:
        narrow.copy_(full[tuple(slice(0, size) for size in narrow.shape)])

    for name, parameter in target.named_parameters(recurse=False):
        copy(source.get_parameter(name), parameter)
        parameter.requires_grad_(source.get_parameter(name).requires_grad)
    for name, buffer in target.named_buffers(recurse=False):
        copy(source.get_buffer(name), buffer)
    if isinstance(target, ScaledConv2d) and isinstance(source, ScaledConv2d):
        target.weight.mul_(source.gain(target.in_channels))
    if isinstance(target, PerWidth) and isinstance(source, PerWidth):
        copy_slice(source[index], target[0], index)
        return
    for name, child in target.named_children():
        copy_slice(source.get_submodule(name), child, index)


def slice_gains(source: nn.Module, target: nn.Module) -> dict[str, float]:
    """Return what ``copy_slice`` multiplies weights by, by the names of those that it does."""
    gains = {}
    for name, layer in target.named_modules():
        full = source.get_submodule(name) if isinstance(layer, ScaledConv2d) else None
        if isinstance(full, ScaledConv2d) and layer.in_channels != full.in_channels:
            gains[f"{name}.weight"] = full.gain(layer.in_channels)
    return gains
