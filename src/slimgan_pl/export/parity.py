"""Parity of exported files with PyTorch, from the same latents and labels.

Shape legend: N images, C channels, H = W pixels a side.
"""

import warnings

import torch
from torch import Tensor

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.export.exported_file import ExportedFile, WidthError, describe_file
from slimgan_pl.export.formats.base import Format, Sampler, Written
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["check_images", "check_parity", "image_errors"]

TOLERANCE = 1e-4  # largest difference between images in [-1, 1] of PyTorch and of a file in float32
MUCH = 0.1  # root mean square of the differences in lower precision that is worth a warning
COUNT, BATCH_SIZE = 64, 16  # images to compare, and images at once


def check_parity(format: Format, written: Written, generator: SlimmableGenerator) -> ExportedFile:
    """Compare a file's images with PyTorch's in float32, and describe it.

    Raises:
        SlimGANError: If a file in float32 differs by more than rounding, or images are not finite.
    """
    sampler = format.load(written, generator)
    errors = [image_errors(sampler, generator, width) for width in written.widths]
    name = written.path.name
    for error in errors:
        if format.precision == "float32" and error.max_abs > TOLERANCE:
            raise SlimGANError(
                f"{name} differs from PyTorch by {error.max_abs:.1e} at width {error.width:g}, more than "
                f"{TOLERANCE:g}: the weights are so large that rounding shows; export an earlier checkpoint"
            )
        if error.rms > MUCH:
            warnings.warn(
                f"{name} generates other images than PyTorch at width {error.width:g} (a root mean square of "
                f"{error.rms:.2g} between values in [-1, 1]); take another --precision than {format.precision}",
                SlimGANWarning,
                stacklevel=2,
            )
    return describe_file(written.path, format.file_format, format.precision, written.widths, format.is_folded, errors)


@torch.inference_mode()
def image_errors(sampler: Sampler, generator: SlimmableGenerator, width: float) -> WidthError:
    """Compare a sampler with the generator on 64 latents and labels.

    Args:
        sampler: The exported generator.
        generator: A generator in float32, on the CPU; it is run in evaluation mode and keeps its own.
        width: One of its ``widths``.

    Raises:
        SlimGANError: If images are not finite, or of another shape.
    """
    largest, squares, values = 0.0, 0.0, 0
    latents, labels = generator.draw_inputs(COUNT, torch.Generator().manual_seed(0))
    with evaluating(generator):
        for part in torch.arange(COUNT).split(BATCH_SIZE):
            inputs = latents[part], None if labels is None else labels[part]
            expected = generator(*inputs, width=width)
            images = sampler(*inputs, width)
            check_images(images, expected, width)
            difference = images.double() - expected.double()
            largest = max(largest, difference.abs().max().item())
            squares += difference.square().sum().item()
            values += difference.numel()
    return WidthError(width, largest, (squares / values) ** 0.5)


def check_images(images: Tensor, expected: Tensor, width: float) -> None:
    """Raise a SlimGANError unless images are finite and of PyTorch's shape."""
    if images.shape != expected.shape:
        raise SlimGANError(
            f"the exported net generates images {tuple(images.shape)} at width {width:g} where PyTorch generates "
            f"{tuple(expected.shape)}; export this checkpoint again"
        )
    if not images.isfinite().all():
        raise SlimGANError(
            f"the images of the exported net at width {width:g} are not finite; export it in another --precision, such "
            "as float32"
        )
