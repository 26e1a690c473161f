"""Images as bytes, grids and files."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.files import filling_folder, replacing

__all__ = [
    "check_others",
    "drawable",
    "from_bytes",
    "holds_pictures",
    "make_grid",
    "save_images",
    "save_sets",
    "to_bytes",
    "to_pil",
    "width_grid",
]

LINE, GREY = 1, 128  # pixels between images, and their value
FONT_SIZE, MARGIN, MOST_LETTERS = 12, 4, 20  # of the names of rows: the first two in pixels


def to_bytes(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to uint8 in [0, 255].

    >>> to_bytes(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([  0, 128, 255], dtype=torch.uint8)
    """
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def from_bytes(images: Tensor) -> Tensor:
    """Turn uint8 images into floats in [-1, 1], the inverse of ``to_bytes``."""
    return images.to(torch.float32, copy=True).div_(127.5).sub_(1)


def width_grid(rows: Sequence[Tensor], names: Sequence[Sequence[str]] = ()) -> Tensor:
    """Return a uint8 picture ``(3, H', W')`` of rows of images.

    A row ``(N, C, H, W)`` in [-1, 1] holds a width's images of the same N latents. Small images are enlarged to 64
    pixels a side or a little more. ``names`` holds for each row the lines of text that stand at its left.
    """
    images = torch.cat([to_bytes(row.cpu()) for row in rows])
    scale = -(-64 // images.shape[-1])
    images = images.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
    grid = make_grid(images, len(rows[0]))
    return torch.cat([name_rows(names, grid.shape[-2]), grid], -1) if names else grid


def name_rows(names: Sequence[Sequence[str]], height: int) -> Tensor:
    """Return a uint8 picture ``(3, height, W)`` of names of rows."""
    font = ImageFont.load_default(FONT_SIZE)
    texts = ["\n".join(map(shorten, lines)) for lines in names]
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    width = max(draw.multiline_textbbox((0, 0), text, font)[2] for text in texts)
    picture = Image.new("L", (int(width) + 2 * MARGIN, height), "white")
    draw = ImageDraw.Draw(picture)
    for number, text in enumerate(texts):
        middle = (number + 0.5) * (height - LINE) / len(texts)
        draw.multiline_text((MARGIN, middle), text, "black", font, anchor="lm")
    return torch.from_numpy(np.array(picture)).expand(3, -1, -1)


def shorten(text: str) -> str:
    """Cut a long text.

    >>> shorten("a" * 30)
    'aaaaaaaaaaaaaaaaa...'
    """
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 3]}..."


def drawable(text: str, instead: str) -> str:
    """Return a text if Pillow's font has its letters, else another.

    >>> drawable("cat", "0"), drawable("Größe", "1")
    ('cat', '1')
    """
    return text if text.strip() and text.isascii() and text.isprintable() else instead


def make_grid(images: Tensor, columns: int) -> Tensor:
    """Lay out uint8 images as one picture with grey lines.

    Images ``(N, C, H, W)`` fill rows of ``columns``; the picture is ``(3, H', W')``. It equals torchvision's function
    of this name, whose import takes as long as that of PyTorch.
    """
    images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
    if len(images) == 1:
        return images[0]
    count, columns = len(images), min(columns, len(images))
    height, width = (side + LINE for side in images.shape[-2:])
    shape = (images.shape[1], -(-count // columns) * height + LINE, columns * width + LINE)
    grid = torch.full(shape, GREY, dtype=torch.uint8)
    for number, image in enumerate(images):
        top, left = number // columns * height + LINE, number % columns * width + LINE
        grid[:, top : top + height - LINE, left : left + width - LINE] = image
    return grid


def save_images(images: Tensor, path: Path) -> None:
    """Write uint8 images as one picture, or as numbered PNGs.

    ``(C, H, W)`` is a picture in a file of any format, ``(N, C, H, W)`` N of them in a folder, by ``save_sets``.
    """
    if images.ndim == 4:
        check_others(path, [""], len(images))
        save_sets([("", images)], path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        try:
            to_pil(images).save(file, Image.registered_extensions()[path.suffix.lower()])
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # an error of the disk
                raise
            raise SlimGANError(f"{path} cannot hold this picture: {error}; ask for fewer images") from error


def save_sets(sets: Iterable[tuple[str, Tensor]], folder: Path) -> None:
    """Write uint8 images ``(N, C, H, W)`` as numbered PNGs in subfolders.

    None is in its place before all are written.
    """
    with filling_folder(folder) as scratch:
        for name, images in sets:
            (scratch / name).mkdir(parents=True, exist_ok=True)
            for number, image in enumerate(images):
                to_pil(image).save(scratch / name / numbered(number))


def check_others(folder: Path, subfolders: Iterable[str], count: int) -> None:
    """Raise a SlimGANError if other images would remain beside new ones.

    An evaluation of the folder would take them for new ones.
    """
    new = {folder / name / numbered(number) for name in subfolders for number in range(count)}
    suffixes = Image.registered_extensions()
    others = [path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path not in new]
    others = [path for path in others if not any(part[0] == "." for part in path.relative_to(folder).parts)]
    if others:
        held = "another image" if len(others) == 1 else f"{len(others):,} other images"
        raise SlimGANError(f"{folder} holds {held}, such as {min(others).name}; name another --output, or remove them")


def numbered(number: int) -> str:
    return f"{number:05d}.png"


def holds_pictures(suffix: str) -> bool:
    """Return whether files of a suffix, such as ``.png``, hold pictures of any size.

    Some formats hold icons alone, and some of Pillow's writers need another library.
    """
    kind = Image.registered_extensions().get(suffix.lower())
    if kind not in Image.SAVE or kind == "PDF":  # which Pillow writes and cannot read
        return kind == "PDF"
    file, picture = BytesIO(), Image.new("RGB", (300, 3))  # no size of an icon
    try:
        picture.save(file, kind)
        with Image.open(file, formats=[kind]) as written:
            return bool(written.size == picture.size)
    except (OSError, ValueError):
        return False


def to_pil(image: Tensor) -> Image.Image:
    """Return uint8 ``(C, H, W)`` as a picture of Pillow."""
    array = image.cpu().numpy()
    return Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0).copy())
