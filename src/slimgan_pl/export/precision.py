"""Nets in lower precision."""

from typing import TypeVar

import torch
from torch import nn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.formats import FloatPrecision

__all__ = ["convert_precision"]

Net = TypeVar("Net", bound=nn.Module)


def convert_precision(net: Net, precision: FloatPrecision) -> Net:
    """Convert a net's weights and statistics in place, and return it.

    Raises:
        SlimGANError: If one is too large for the precision.
    """
    net.to(torch.float16 if precision == "float16" else torch.float32)
    for name, value in net.state_dict().items():
        if not value.isfinite().all():
            raise SlimGANError(f"{name} is too large for {precision}; export this checkpoint with --precision float32")
    return net
