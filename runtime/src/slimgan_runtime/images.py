"""Images as bytes."""

import numpy as np
import numpy.typing as npt

from slimgan_runtime.checking import as_array
from slimgan_runtime.errors import SlimGANError

__all__ = ["to_bytes"]


def to_bytes(images: npt.ArrayLike) -> np.ndarray:
    """Turn images ``(N, C, H, W)`` in [-1, 1] into uint8, rounded.

    Returns:
        Pixels ``(N, H, W, C)``, or ``(N, H, W)`` of grey images, as libraries of pictures take them.

    Raises:
        SlimGANError: If they are not real numbers of four dimensions, or one is NaN.

    >>> to_bytes(np.array([[[[-1.0, 0.0, 1.0]]]]))
    array([[[  0, 128, 255]]], dtype=uint8)
    """
    given = as_array("images", images)
    if given.dtype.kind not in "fiu" or given.ndim != 4:
        raise SlimGANError(f"images are {given.dtype} of shape {given.shape}; give floats of shape (N, C, H, W)")
    values = np.clip(given, -1, 1).astype(np.float32)
    if np.isnan(values).any():
        raise SlimGANError("images are not all numbers; give images such as those of Runtime.generate")
    pixels = np.rint((values + 1) * 127.5).astype(np.uint8)
    return pixels[:, 0] if pixels.shape[1] == 1 else np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
