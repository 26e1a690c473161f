"""Conversion of images to bytes of one size."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

__all__ = ["Transform", "as_bytes", "convert_image", "convert_mode"]


class Transform(NamedTuple):
    """Conversion of images: a centre crop, a resize, a number of channels.

    ``crop`` is the side of the crop in pixels; None stands for the shorter side of the image.
    """

    image_size: int
    image_channels: int
    crop: int | None


def convert_image(image: Image.Image, transform: Transform) -> npt.NDArray[np.uint8]:
    """Centre-crop, resize (bilinear, antialiased) and convert to bytes ``(C, H, W)``."""
    image = convert_mode(image, transform.image_channels)
    side = transform.crop or min(image.size)
    size = (transform.image_size, transform.image_size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    if transform.crop is not None and transform.crop > min(image.size):
        raise ValueError(f"it is {image.width}x{image.height} pixels, smaller than the crop of {side}")
    image = image.crop((round(left), round(top), round(left) + side, round(top) + side))
    return as_bytes(image.resize(size, Image.Resampling.BILINEAR))


def convert_mode(image: Image.Image, image_channels: int) -> Image.Image:
    """Convert an image of any mode to colour or grey.

    It applies orientation tags, scales 16-bit values to 8 bits, and puts transparent pixels on white.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if image_channels == 1 else "RGB")


def as_bytes(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the bytes ``(C, H, W)`` of a colour or grey image."""
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
