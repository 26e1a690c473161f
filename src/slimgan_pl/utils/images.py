"""Images as bytes, grids and files."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.files import replacing

__all__ = ["from_bytes", "picture_suffixes", "save_images", "to_bytes", "width_grid"]


def to_bytes(images: Tensor) -> Tensor:
    """Turn images in [-1, 1] into uint8 in [0, 255], rounding to the nearest.

    >>> to_bytes(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([  0, 128, 255], dtype=torch.uint8)
    """
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def from_bytes(images: Tensor) -> Tensor:
    """Turn uint8 images in [0, 255] into floats in [-1, 1], as the inverse of ``to_bytes``."""
    return images.to(torch.float32, copy=True).div_(127.5).sub_(1)


def width_grid(rows: Sequence[Tensor]) -> Tensor:
    """Lay out a row of images per width, small ones enlarged to 64 pixels a side or a little more.

    Args:
        rows: Per width the images of the same latents, ``(N, C, H, W)`` in [-1, 1].

    Returns:
        One uint8 picture ``(3, H', W')``.
    """
    images = torch.cat([to_bytes(row.cpu()) for row in rows])
    scale = -(-64 // images.shape[-1])
    images = images.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
    grid: Tensor = make_grid(images, nrow=len(rows[0]), padding=1, pad_value=128)
    return grid


def save_images(images: Tensor, path: Path) -> None:
    """Write uint8 images: one picture ``(C, H, W)`` to a file, or ``(N, C, H, W)`` as numbered PNGs into a folder."""
    if images.ndim == 3:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            try:
                _to_pil(images).save(file, Image.registered_extensions()[path.suffix.lower()])
            except (OSError, ValueError) as error:
                if isinstance(error, OSError) and error.errno is not None:  # an error of the disk
                    raise
                raise SlimGANError(f"{path} cannot hold this picture: {error}; ask for fewer images") from error
        return
    path.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        _to_pil(image).save(path / f"{number:05d}.png")


def picture_suffixes() -> set[str]:
    """Return the suffixes, with their dots, of all formats that a picture can be saved in."""
    return {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.SAVE}


def _to_pil(image: Tensor) -> Image.Image:
    picture: Image.Image = to_pil_image(image.cpu())
    return picture
