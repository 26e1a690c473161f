"""Animations: GIF, WebP, APNG, MP4, or a folder of frames."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.files import filling_folder, replacing
from slimgan_pl.utils.images import to_pil

__all__ = ["ANIMATIONS", "MAX_FPS", "check_animation", "save_animation"]

ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".apng": "PNG", ".mp4": "MP4"}

MAX_FPS = 50  # browsers slow down a GIF with less than 20 ms a frame

OPTIONS: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}}  # Pillow's, beside those that all formats share


def check_animation(path: Path) -> None:
    """Raise a SlimGANError for a suffix that holds no animation."""
    suffix = path.suffix.lower()
    if suffix in ANIMATIONS and path.is_dir():
        raise SlimGANError(f"{path} is a folder; choose another --output")
    if suffix and not path.is_dir() and suffix not in ANIMATIONS:
        raise SlimGANError(
            f"no animation can be written as {path.suffix}; end --output in {', '.join(ANIMATIONS)}, or leave the "
            "suffix out for a folder of frames"
        )
    if suffix == ".mp4":
        import_av()


def import_av() -> ModuleType:
    """Return PyAV, which writes MP4.

    Raises:
        SlimGANError: If it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise SlimGANError(
            'MP4 needs PyAV, which is not installed; type pip install "slimgan-pl[video]", or end --output in .gif, '
            ".webp or .apng"
        ) from error
    module: ModuleType = av
    return module


def save_animation(frames: Iterator[Tensor], num_frames: int, path: Path, fps: float) -> None:
    """Write uint8 pictures ``(C, H, W)`` as an animation or numbered PNGs.

    Args:
        frames: The pictures, C being 1 or 3; one is needed at a time.
        num_frames: Their number.
        path: A file with a suffix of ``ANIMATIONS``, or a folder.
        fps: Frames per second, which a folder does not keep.
    """
    pictures = map(to_pil, frames)
    if path.is_dir() or not path.suffix:
        with filling_folder(path) as scratch:
            for number, picture in enumerate(pictures):
                picture.save(scratch / f"{number:05d}.png")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = ANIMATIONS[path.suffix.lower()]
    with replacing(path) as file:
        if kind == "MP4":
            write_mp4(pictures, file, fps)
            return
        pictures = map(reduce_colours, pictures) if kind == "GIF" else pictures
        first = next(pictures)
        rest = list(pictures) if kind == "PNG" else pictures  # NOTE: Pillow goes through those of a PNG twice
        durations = split_time(num_frames, fps, 10 if kind == "GIF" else 1)
        first.save(file, kind, save_all=True, append_images=rest, duration=durations, loop=0, **OPTIONS.get(kind, {}))


def split_time(num_frames: int, fps: float, unit: int) -> list[int]:
    """Return each frame's milliseconds, multiples of a unit, without a drift.

    >>> split_time(3, 30, 10)
    [30, 40, 30]
    """
    ends = [round(1000 * (frame + 1) / fps / unit) for frame in range(num_frames)]
    return [unit * (end - begin) for begin, end in zip([0, *ends], ends, strict=False)]


def reduce_colours(picture: Image.Image) -> Image.Image:
    """Return a picture dithered to 256 colours of its own.

    NOTE: Pillow's own reduction to GIF is neither refined nor dithered, which shows as bands in smooth colours.
    """
    if picture.mode == "L":
        return picture
    palette = picture.quantize(256, kmeans=1)
    return picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def write_mp4(pictures: Iterator[Image.Image], file: Any, fps: float) -> None:
    """Write H.264 that every player takes, whose sides are even."""
    from fractions import Fraction

    av = import_av()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", Fraction(fps).limit_denominator(1000), options={"crf": "12"})
        first = next(pictures)
        width, height = (side + side % 2 for side in first.size)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in chain([first], pictures):
            whole = picture.convert("RGB").crop((0, 0, width, height))  # with black at an odd side's end
            container.mux(stream.encode(av.VideoFrame.from_image(whole)))
        container.mux(stream.encode())
