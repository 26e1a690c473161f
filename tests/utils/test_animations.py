"""An animation holds each frame, at its speed, as it was."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.animations import check_animation, save_animation

COUNT, FPS = 12, 30


def smooth(channels: int) -> list[Tensor]:
    """Return pictures of smooth colours that move."""
    noise = torch.randn(COUNT, channels, 5, 5)
    noise = (noise + noise.roll(1, 0)) / 1.5
    images = torch.nn.functional.interpolate(noise, size=(60, 63), mode="bicubic").tanh()
    return list(images.add(1).mul(127.5).clamp(0, 255).to(torch.uint8))


def read(path: Path) -> tuple[np.ndarray, float]:
    """Return frames ``(N, H, W, 3)``, and seconds."""
    with Image.open(path) as image:
        frames, seconds = [], 0.0
        for number in range(image.n_frames):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB"), dtype=float))
            seconds += image.info["duration"] / 1000
        assert image.info["loop"] == 0
    return np.stack(frames), seconds


def as_frames(pictures: list[Tensor]) -> np.ndarray:
    return torch.stack(pictures).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).double().numpy()


@pytest.mark.parametrize(("suffix", "channels"), [(".gif", 1), (".webp", 1), (".webp", 3), (".apng", 1), (".apng", 3)])
def test_frames_and_speed_are_kept(suffix: str, channels: int, tmp_path: Path) -> None:
    pictures = smooth(channels)
    save_animation(iter(pictures), COUNT, tmp_path / f"new/a{suffix}", FPS)
    frames, seconds = read(tmp_path / f"new/a{suffix}")
    assert np.array_equal(frames, as_frames(pictures))
    assert seconds == pytest.approx(COUNT / FPS, abs=0.005)


def test_colours_of_a_gif_are_closer_than_pillow_makes_them(tmp_path: Path) -> None:
    pictures = smooth(3)
    save_animation(iter(pictures), COUNT, tmp_path / "a.gif", FPS)
    first, *rest = (Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pictures)
    first.save(tmp_path / "plain.gif", save_all=True, append_images=rest, duration=30, loop=0)
    errors = []
    for name in ("a.gif", "plain.gif"):
        frames, _ = read(tmp_path / name)
        error = torch.from_numpy(frames - as_frames(pictures)).permute(0, 3, 1, 2)
        errors.append(float(torch.nn.functional.avg_pool2d(error, 4).square().mean()))  # what an eye sees
    assert errors[0] < errors[1] / 2


def test_a_folder_gets_numbered_frames(tmp_path: Path) -> None:
    pictures = smooth(3)
    save_animation(iter(pictures), COUNT, tmp_path / "frames", FPS)
    paths = sorted((tmp_path / "frames").iterdir())
    assert [path.name for path in paths] == [f"{number:05d}.png" for number in range(COUNT)]
    assert np.array_equal(np.asarray(Image.open(paths[3]), dtype=float), as_frames(pictures)[3])


@pytest.mark.parametrize("channels", [1, 3])
def test_an_mp4_has_the_frames_at_their_speed_with_even_sides(channels: int, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    pictures = smooth(channels)
    save_animation(iter(pictures), COUNT, tmp_path / "a.mp4", FPS)
    with av.open(str(tmp_path / "a.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == Fraction(FPS)
    assert frames[0].shape == (60, 64, 3)
    assert len(frames) == COUNT
    assert np.abs(np.stack(frames)[:, :, :62] - as_frames(pictures)[:, :, :62]).mean() < 6


def test_without_the_library_a_film_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SlimGANError, match=r'MP4 needs PyAV.*pip install "slimgan-pl\[video\]"'):
        check_animation(Path("a.mp4"))


def test_a_failed_animation_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        save_animation(
            (torch.full((1, 4, 4), 1 // number, dtype=torch.uint8) for number in (1, 0)), 2, tmp_path / "a.gif", 5
        )
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
