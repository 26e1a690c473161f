"""``slimgan sample``: pictures from a checkpoint alone."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torchvision.utils import make_grid

from slimgan_pl.callbacks import sample_grid
from slimgan_pl.errors import MAX_SEED, SlimGANError, check_range
from slimgan_pl.runs.checkpoints import load_model
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.images import picture_suffixes, save_images, to_bytes

__all__ = ["sample"]

GRID_COLUMNS = 8

MAX_IMAGES = 1_000_000  # all lie in memory at once


def sample(
    ckpt_path: str,
    width: float | Literal["all"] = 1.0,
    num_images: int = 64,
    output: str = "samples.png",
    label: int | None = None,
    seed: int = 0,
    trust_checkpoint: bool = False,
) -> None:
    """Draw images from a checkpoint alone: no configuration, no data set.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        width: One of the generator's widths, or ``all``.
        num_images: Number of images per width.
        output: A name that ends in .png, .jpg or the like gets one picture, with a row per width (and class) if there
            are all; a name without a suffix is a folder of numbered PNG files, with a subfolder per width if there are
            all.
        label: Class to draw, of a conditional generator; by default each at random.
        seed: Seed of the latents; the same seed draws the same latents at every width.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
    """
    check_range("num_images", num_images, 1, MAX_IMAGES)
    check_range("the seed", seed, 0, MAX_SEED)
    if not output:
        raise SlimGANError("--output is empty; name a picture such as samples.png, or a folder")
    path = Path(output)
    is_picture = bool(path.suffix) and not path.is_dir()
    if is_picture and path.suffix.lower() not in picture_suffixes():
        raise SlimGANError(
            f"no picture can be written as {path.suffix}; end --output in .png or .jpg for one picture, or leave the "
            "suffix out for a folder of them"
        )
    model = load_model(ckpt_path, trust_checkpoint)
    classes = model.generator.num_classes
    if label is not None and not 0 <= label < classes:
        raise SlimGANError(f"there is no class {label}: this generator has {classes or 'none'}, counted from 0")
    if width != "all":
        images = draw(model, num_images, width, seed, label)
        save_images(make_grid(images, GRID_COLUMNS, padding=1, pad_value=128) if is_picture else images, path)
    elif is_picture:
        save_images(sample_grid(model, num_images, seed, label), path)
    else:
        for each in model.generator.widths:
            save_images(draw(model, num_images, each, seed, label), path / f"width_{each:g}")
    print(f"{num_images} images at width {width} in {output}")


def draw(model: SlimGAN, num_images: int, width: float, seed: int, label: int | None) -> Tensor:
    """Return uint8 images ``(N, C, H, W)``, of one class or of classes at random."""
    labels = None if label is None else torch.full((num_images,), label)
    return to_bytes(model.sample(num_images, width, labels, torch.Generator().manual_seed(seed)))
