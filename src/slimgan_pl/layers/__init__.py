"""Building blocks of slimmable nets."""

from slimgan_pl.layers.init import initialized, spectral
from slimgan_pl.layers.norm import (
    PerWidth,
    SliceableConditionalBatchNorm2d,
    SwitchableBatchNorm2d,
    SwitchableConditionalBatchNorm2d,
)
from slimgan_pl.layers.slice_weights import copy_slice
from slimgan_pl.layers.sliced import SlicedConv2d, SlicedConvTranspose2d, SlicedEmbedding, SlicedLinear
from slimgan_pl.layers.widths import check_widths, scale_channels, width_index

__all__ = [
    "PerWidth",
    "SliceableConditionalBatchNorm2d",
    "SlicedConv2d",
    "SlicedConvTranspose2d",
    "SlicedEmbedding",
    "SlicedLinear",
    "SwitchableBatchNorm2d",
    "SwitchableConditionalBatchNorm2d",
    "check_widths",
    "copy_slice",
    "initialized",
    "scale_channels",
    "spectral",
    "width_index",
]
