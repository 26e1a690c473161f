"""``slimgan sample``: images from a checkpoint alone, without Lightning."""

from pathlib import Path
from typing import Literal

from slimgan_pl.errors import MAX_SEED, SlimGANError, check_range
from slimgan_pl.utils.weights import Weights

__all__ = ["sample"]

GRID_COLUMNS = 8

ANIMATED = (".gif", ".webp", ".apng", ".mp4")  # suffixes by which a user may mean an animation

WALK = "; slimgan walk writes animations"

MAX_IMAGES = 1_000_000  # all lie in memory at once


def sample(
    ckpt_path: str,
    width: float | Literal["all"] = 1.0,
    num_images: int = 64,
    output: str = "samples.png",
    label: str | None = None,
    seed: int = 0,
    trust_checkpoint: bool = False,
    weights: Weights = "averaged",
    truncation: float = 1.0,
) -> None:
    """Generate images from a checkpoint alone: no configuration, no data set.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        width: One of the generator's widths, or ``all``.
        num_images: Number of images per width.
        output: A name that ends in .png, .jpg or the like gets one picture, with a row per width (and class) if there
            are all; a name without a suffix is a folder of numbered PNG files, with a subfolder per width if there are
            all, which may hold no images but those that the new ones replace.
        label: Class of the images by its name or number, for a conditional generator; by default each at random, as
            frequent as in training.
        seed: Seed of the latents; the same seed gives the same latents at every width.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
        weights: The averaged weights where training has kept an average, or the raw ones.
        truncation: Share of the styles' distance from their mean that stays, 0 to 1, for nets with styles such as
            StyleGAN2: less varied images of fewer faults.
    """
    check_range("num_images", num_images, 1, MAX_IMAGES)
    check_range("the seed", seed, 0, MAX_SEED)
    if not output:
        raise SlimGANError("--output is empty; name a picture such as samples.png, or a folder")
    import torch  # which help does not need

    from slimgan_pl.models.sampling import sample_images
    from slimgan_pl.runs.checkpoint_reader import build_generator, read_checkpoint
    from slimgan_pl.training.sample_grid import sample_grid
    from slimgan_pl.utils.files import check_folder, writing_output
    from slimgan_pl.utils.images import check_others, holds_pictures, make_grid, save_images, save_sets, to_bytes

    path = Path(output)
    is_picture = bool(path.suffix) and not path.is_dir()
    if is_picture and not holds_pictures(path.suffix):
        raise SlimGANError(
            f"no picture can be written as {path.suffix}; end --output in .png or .jpg for one picture, or leave the "
            f"suffix out for a folder of them{WALK if path.suffix.lower() in ANIMATED else ''}"
        )
    checkpoint = read_checkpoint(ckpt_path)
    generator = build_generator(checkpoint, ckpt_path, trust_checkpoint, weights)
    generator = generator if truncation == 1 else generator.truncated(truncation)
    number = None if label is None else generator.classes.number_of(label)

    def generate(each: float) -> torch.Tensor:
        labels = None if number is None else torch.full((num_images,), number)
        each = 1.0 if each == checkpoint["hyper_parameters"].get("individual") else each  # its only width
        return to_bytes(sample_images(generator, num_images, each, labels, torch.Generator().manual_seed(seed)))

    sets = {f"width_{each:g}": each for each in generator.widths} if width == "all" else {"": width}
    if not is_picture:
        check_others(path, sets, num_images)
    check_folder(path.parent)
    with writing_output("the samples", path):
        if not is_picture:
            save_sets(((name, generate(each)) for name, each in sets.items()), path)
        elif width == "all":
            save_images(sample_grid(generator, num_images, seed, number), path)
        else:
            save_images(make_grid(generate(width), GRID_COLUMNS), path)
    of_class = "" if number is None else f" of {generator.classes.names[number]}"
    print(f"{num_images} images{of_class} at width {width} in {output}")
    if is_picture and path.suffix.lower() in ANIMATED:
        print(f"NOTE: {output} is a still{WALK}")
