"""Building blocks of slimmable nets."""

from slimgan_pl.layers.equalized import EqualizedConv2d, EqualizedLinear
from slimgan_pl.layers.init import initialized, scaled_normal, spectral
from slimgan_pl.layers.modulated import ModulatedConv2d
from slimgan_pl.layers.norm import (
    PerWidth,
    SliceableConditionalBatchNorm2d,
    SwitchableBatchNorm2d,
    SwitchableConditionalBatchNorm2d,
)
from slimgan_pl.layers.resampling import Downsample, Upsample
from slimgan_pl.layers.slice_weights import copy_slice, slice_gains
from slimgan_pl.layers.sliced import (
    ScaledConv2d,
    SlicedConv2d,
    SlicedConvTranspose2d,
    SlicedEmbedding,
    SlicedGroupedConv2d,
    SlicedLinear,
)
from slimgan_pl.layers.stages import Stages, run_stage
from slimgan_pl.layers.widths import check_widths, scale_channels, width_index

__all__ = [
    "Downsample",
    "EqualizedConv2d",
    "EqualizedLinear",
    "ModulatedConv2d",
    "PerWidth",
    "ScaledConv2d",
    "SliceableConditionalBatchNorm2d",
    "SlicedConv2d",
    "SlicedConvTranspose2d",
    "SlicedEmbedding",
    "SlicedGroupedConv2d",
    "SlicedLinear",
    "Stages",
    "SwitchableBatchNorm2d",
    "SwitchableConditionalBatchNorm2d",
    "Upsample",
    "check_widths",
    "copy_slice",
    "initialized",
    "run_stage",
    "scale_channels",
    "scaled_normal",
    "slice_gains",
    "spectral",
    "width_index",
]
