"""Hashes of images, by which two data sets are compared."""

import hashlib

import numpy as np
import numpy.typing as npt

__all__ = ["HASHES", "hash_images"]

HASHES = "hashes.npy"  # beside the images of a byte array


def hash_images(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return hashes ``(N,)`` of the pixels of images ``(N, C, H, W)``."""
    digests = b"".join(hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images)
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)
