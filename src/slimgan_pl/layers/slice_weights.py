"""Copying the weights of one width out of a slimmable net."""

import torch
from torch import Tensor, nn

from slimgan_pl.layers.norm import PerWidth

__all__ = ["copy_slice"]


@torch.no_grad()
def copy_slice(source: nn.Module, target: nn.Module, index: int) -> None:
    """Copy one width's weights of a wide net into a narrow net.

    Both nets have the same modules, but for ``PerWidth`` lists, of which the target holds one entry. A tensor of the
    target is the leading block of the source's, and requires a gradient where that does.
    """

    def copy(full: Tensor, narrow: Tensor) -> None:
        narrow.copy_(full[tuple(slice(0, size) for size in narrow.shape)])

    for name, parameter in target.named_parameters(recurse=False):
        copy(source.get_parameter(name), parameter)
        parameter.requires_grad_(source.get_parameter(name).requires_grad)
    for name, buffer in target.named_buffers(recurse=False):
        copy(source.get_buffer(name), buffer)
    if isinstance(target, PerWidth) and isinstance(source, PerWidth):
        copy_slice(source[index], target[0], index)
        return
    for name, child in target.named_children():
        copy_slice(source.get_submodule(name), child, index)
