"""How far the images of an exported generator are from those that PyTorch draws.

Shape legend: N images, C channels, H = W pixels a side.
"""

import warnings
from collections.abc import Iterator

import torch
from torch import Tensor

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.export.exported_file import ExportedFile, Kind, Precision, WidthError, describe_file
from slimgan_pl.export.writers import Draw, Written
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["check_images", "compared", "image_errors"]

TOLERANCE = 1e-4  # of images in [-1, 1], between PyTorch and a file in float32

MUCH = 0.1  # root mean square of the differences in lower precision that is worth a warning


COUNT, BATCH_SIZE = 64, 16  # images that are compared, and of these at once


@torch.inference_mode()
def image_errors(draw: Draw, generator: SlimmableGenerator, width: float) -> WidthError:
    """Compare what is exported with the generator that it is of, on the same 64 latents and labels.

    Args:
        draw: What is exported.
        generator: A generator in float32, on the CPU; it is run in evaluation mode and stays in its own.
        width: One of its ``widths``.

    Raises:
        SlimGANError: If images are not finite, or of another shape.
    """
    largest, squares, values = 0.0, 0.0, 0
    with evaluating(generator):
        for latents, labels in batches(generator):
            expected = generator(latents, labels, width=width)
            images = draw(latents, labels, width)
            check_images(images, expected, width)
            difference = images.double() - expected.double()
            largest = max(largest, difference.abs().max().item())
            squares += difference.square().sum().item()
            values += difference.numel()
    return WidthError(width, largest, (squares / values) ** 0.5)


def batches(generator: SlimmableGenerator) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield latents ``(N, latent_dim)`` and labels ``(N,)`` or None, always the same."""
    source = torch.Generator().manual_seed(0)
    latents, labels = generator.draw_inputs(COUNT, source)
    for start in range(0, COUNT, BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        yield latents[part], None if labels is None else labels[part]


def check_images(images: Tensor, expected: Tensor, width: float) -> None:
    """Raise a SlimGANError where exported images are not finite or not of the shape of PyTorch's."""
    if images.shape != expected.shape:
        raise SlimGANError(
            f"the exported net draws images {tuple(images.shape)} at width {width:g} where PyTorch draws "
            f"{tuple(expected.shape)}; export this checkpoint again"
        )
    if not images.isfinite().all():
        raise SlimGANError(
            f"the images of the exported net at width {width:g} are not finite; export it in another --precision, such "
            "as float32"
        )


def compared(
    written: Written, generator: SlimmableGenerator, kind: Kind, precision: Precision, fold: bool
) -> ExportedFile:
    """Return what is known of a file, with how far its images are from PyTorch's in float32.

    Raises:
        SlimGANError: If that is more than rounding for a file in float32, or images are not finite.
    """
    errors = [image_errors(written.draw, generator, width) for width in written.widths]
    name = written.path.name
    for error in errors:
        if precision == "float32" and error.max_abs > TOLERANCE:
            raise SlimGANError(
                f"{name} differs from PyTorch by {error.max_abs:.1e} at width {error.width:g}, more than "
                f"{TOLERANCE:g}: the weights are so large that rounding shows; export an earlier checkpoint"
            )
        if error.rms > MUCH:
            warnings.warn(
                f"{name} draws other images than PyTorch at width {error.width:g} (a root mean square of "
                f"{error.rms:.2g} between values in [-1, 1]); take another --precision than {precision}",
                SlimGANWarning,
                stacklevel=2,
            )
    folded = fold or kind == "onnx"  # of all widths in one it is ONNX Runtime that folds, when it loads the file
    return describe_file(written.path, kind, precision, written.widths, folded, errors)
