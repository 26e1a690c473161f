"""Conversion of images to bytes of one size."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from slimgan_pl.data.value_range import EIGHT_BITS, ValueRange, find_kind, scale_values

__all__ = ["Transform", "as_bytes", "convert_image", "convert_mode"]


class Transform(NamedTuple):
    """Conversion of images: a centre crop, a resize, a number of channels.

    ``crop`` is the side of the crop in pixels; None stands for the shorter side of the image. ``value_range`` holds
    the values of more than 8 bits that become black and white; None stands for the range that the file tells.
    """

    image_size: int
    image_channels: int
    crop: int | None
    value_range: ValueRange | None = None

    @property
    def key(self) -> dict[str, Any]:
        """Plain values for the key of a byte array."""
        return {name: value for name, value in self._asdict().items() if name != "value_range" or value is not None}


def convert_image(image: Image.Image, transform: Transform) -> npt.NDArray[np.uint8]:
    """Centre-crop, resize (bilinear, antialiased) and convert to bytes ``(C, H, W)``."""
    image = convert_mode(image, transform.image_channels, transform.value_range)
    side = transform.crop or min(image.size)
    size = (transform.image_size, transform.image_size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    if transform.crop is not None and transform.crop > min(image.size):
        raise ValueError(f"it is {image.width}x{image.height} pixels, smaller than the crop of {side}")
    image = image.crop((round(left), round(top), round(left) + side, round(top) + side))
    return as_bytes(image.resize(size, Image.Resampling.BILINEAR))


def convert_mode(image: Image.Image, image_channels: int, value_range: ValueRange | None = None) -> Image.Image:
    """Convert an image of any mode to colour or grey.

    It applies orientation tags, scales values of more than 8 bits, and puts transparent pixels on white.

    Raises:
        UnknownRangeError: If neither the file nor ``value_range`` tells the range of the values.
    """
    kind, transparent = find_kind(image), transparent_value(image)  # from the file's layout, gone once it is loaded
    image = ImageOps.exif_transpose(image)
    if kind != EIGHT_BITS:
        return scale_values(image, kind, value_range, transparent).convert("L" if image_channels == 1 else "RGB")
    if transparent is not None:
        image.info["transparency"] = transparent
    if image.mode == "LAB":
        image = lab_to_rgb().apply(image)
    if image.mode == "La":  # premultiplied; Pillow only undoes that
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if image_channels == 1 else "RGB")


def transparent_value(image: Image.Image) -> Any:
    """Return an image's transparent value, in the scale of its pixels.

    NOTE: Pillow scales the pixels of PNGs with 2, 4 and 3 x 16 bits to 8 bits but leaves their tRNS as it is.
    """
    value = image.info.get("transparency")
    layout = next((part[3] for part in getattr(image, "tile", ())), None)
    if layout in ("L;2", "L;4"):
        return value and value * 255 // (2 ** int(layout[2]) - 1)
    if layout == "RGB;16B":
        return value and tuple(part >> 8 for part in value)
    return value


@cache
def lab_to_rgb() -> Any:
    """Return Pillow's conversion of CIELAB (D50) to sRGB."""
    from PIL import ImageCms  # a library of its own, for images that are rare

    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def as_bytes(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the bytes ``(C, H, W)`` of a colour or grey image."""
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
