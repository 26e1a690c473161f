"""Pictures within a page."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from slimgan_pl.errors import SlimGANError

__all__ = ["Picture", "animation", "picture", "picture_file"]

FRAME_MS = 100  # milliseconds a frame is shown
MOST_BYTES = 700_000  # largest size of a lossless animation
QUALITY = 70  # WebP's quality, up to 100, of a lossy animation


class Picture(NamedTuple):
    """Image as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


def picture(image: Tensor) -> Picture:
    """Return a uint8 picture ``(3, H, W)`` as PNG."""
    return still(to_pil_image(image))


def picture_file(path: Path) -> Picture:
    """Return a picture from a file.

    Raises:
        SlimGANError: If it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return still(image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise SlimGANError(f"{path} cannot be read as a picture") from error


def still(image: Image.Image) -> Picture:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return Picture(data_uri("png", file.getvalue()), *image.size)


def animation(frames: Sequence[Tensor]) -> Picture:
    """Encode uint8 frames ``(3, H, W)`` as looping WebP, lossy if large."""
    images: list[Image.Image] = [to_pil_image(frame) for frame in frames]
    data = encode(images, lossless=True)
    if len(data) > MOST_BYTES:
        data = encode(images, lossless=False)
    return Picture(data_uri("webp", data), *images[0].size)


def encode(images: Sequence[Image.Image], lossless: bool) -> bytes:
    file = io.BytesIO()
    images[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=FRAME_MS,
        loop=0,
        lossless=lossless,
        quality=QUALITY,
    )
    return file.getvalue()


def data_uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
