"""``slimgan walk``: a closed walk through latents as an animation, without Lightning."""

from pathlib import Path
from typing import Literal

from slimgan_pl.errors import MAX_SEED, SlimGANError, check_range
from slimgan_pl.utils.weights import Weights

__all__ = ["walk"]

MAX_FRAMES = 10_000  # a writer of animations keeps them all


def walk(
    ckpt_path: str,
    width: float | Literal["all"] = 1.0,
    output: str = "walk.gif",
    latents: int = 6,
    frames: int = 120,
    fps: float = 20.0,
    label: str | None = None,
    seed: int = 0,
    trust_checkpoint: bool = False,
    weights: Weights = "averaged",
    truncation: float = 1.0,
) -> None:
    """Show a closed walk through latents of a checkpoint as an animation.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        width: One of the generator's widths, or ``all`` side by side, narrow to wide.
        output: A name that ends in .gif, .webp, .apng or .mp4; a name without a suffix is a folder of numbered PNG
            files.
        latents: Number of latents on the way, those of ``slimgan sample`` with this seed.
        frames: Number of frames of the whole walk.
        fps: Frames per second.
        label: Class of the images by its name or number, for a conditional generator; by default a row per class, for
            at most ten of them.
        seed: Seed of the latents.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
        weights: The averaged weights where training has kept an average, or the raw ones.
        truncation: Share of the styles' distance from their mean that stays, 0 to 1, for nets with styles such as
            StyleGAN2: less varied images of fewer faults.
    """
    check_range("the number of latents", latents, 2, MAX_FRAMES)
    check_range("the number of frames", frames, latents, MAX_FRAMES)
    check_range("the seed", seed, 0, MAX_SEED)
    if not output:
        raise SlimGANError("--output is empty; name an animation such as walk.gif, or a folder")
    import torch  # which help does not need

    from slimgan_pl.layers import width_index
    from slimgan_pl.models.walk import make_closed_walk, walk_images
    from slimgan_pl.runs.checkpoint_reader import build_generator, read_checkpoint
    from slimgan_pl.training.sample_grid import choose_classes
    from slimgan_pl.utils.animations import MAX_FPS, check_animation, save_animation
    from slimgan_pl.utils.files import check_folder, writing_output
    from slimgan_pl.utils.images import check_others, drawable, width_grid

    check_range("the number of frames per second", fps, 1, MAX_FPS)
    path = Path(output)
    check_animation(path)
    checkpoint = read_checkpoint(ckpt_path)
    generator = build_generator(checkpoint, ckpt_path, trust_checkpoint, weights)
    generator = generator if truncation == 1 else generator.truncated(truncation)
    numbers = [generator.classes.number_of(label)] if label is not None else choose_classes(generator.num_classes)
    labels = list(numbers) if generator.num_classes else [None]
    only = 1.0 if width == checkpoint["hyper_parameters"].get("individual") else width  # its only width
    widths = generator.widths if only == "all" else (generator.widths[width_index(generator.widths, only)],)

    stops = generator.draw_inputs(latents, torch.Generator().manual_seed(seed)).latents
    on_the_way = make_closed_walk(stops[:, None], frames)[:, 0]
    images = walk_images(generator, on_the_way, labels, widths)
    names = [[drawable(generator.classes.names[each], f"{each}")] for each in numbers] if len(labels) > 1 else []
    pictures = (width_grid(list(each), names)[: generator.image_channels] for each in images)
    if path.is_dir():
        check_others(path, [""], frames)
    check_folder(path.parent)
    with writing_output("the walk", path):
        save_animation(pictures, frames, path, fps)
    print(f"{frames} frames at width {width} in {output}")
