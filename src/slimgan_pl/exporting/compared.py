"""Holding what was written to PyTorch."""

import warnings

from slimgan_pl.errors import SlimGANWarning, UserError
from slimgan_pl.exporting.exported import ExportedFile, Kind, Precision, describe_file
from slimgan_pl.exporting.image_errors import image_errors
from slimgan_pl.exporting.writers import Written
from slimgan_pl.models import SlimmableGenerator

__all__ = ["compared"]

TOLERANCE = 1e-4  # of images in [-1, 1], between PyTorch and a file in float32
MUCH = 0.1  # root mean square of the differences in lower precision that is worth a warning


def compared(
    written: Written, generator: SlimmableGenerator, kind: Kind, precision: Precision, fold: bool
) -> ExportedFile:
    """Return what is known of a file, with how far its images are from PyTorch's in float32.

    Raises:
        UserError: If that is more than rounding for a file in float32, or images are not finite.
    """
    errors = [image_errors(written.draw, generator, width) for width in written.widths]
    name = written.path.name
    for error in errors:
        if precision == "float32" and error.max_abs > TOLERANCE:
            raise UserError(
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
