"""A closed walk through latents."""

import io
from base64 import b64decode
from collections.abc import Callable

import pytest
import torch
from PIL import Image

from slimgan_pl.models import DCGANGenerator
from slimgan_pl.report import pictures
from slimgan_pl.report.summary import STEPS, generate_walk, make_walks
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.images import width_grid


def test_the_walk_closes_and_its_steps_are_alike_from_stop_to_stop() -> None:
    walk = make_walks(2, 16, seed=0)
    steps = (walk.roll(-1, dims=0) - walk).norm(dim=-1).unflatten(0, (-1, STEPS))  # the last leads to the first frame
    assert torch.allclose(steps, steps[:, :1].expand_as(steps), rtol=1e-3)


def test_a_walk_stays_on_the_sphere_where_latents_lie() -> None:
    assert torch.allclose(make_walks(3, 64, seed=1).norm(dim=-1), torch.tensor(8.0))


def test_the_seed_decides_the_walk() -> None:
    assert torch.equal(make_walks(2, 8, seed=3), make_walks(2, 8, seed=3))
    assert not torch.equal(make_walks(2, 8, seed=3), make_walks(2, 8, seed=4))


def test_every_width_generates_from_the_same_latents(make_model: Callable[..., SlimGAN]) -> None:
    generator = make_model().generator.eval()
    frames = generate_walk(generator, seed=0)
    with torch.no_grad():
        latents = make_walks(6, generator.latent_dim, seed=0)[5]
        expected = width_grid([generator(latents, width=width) for width in generator.widths])
    assert torch.equal(frames[5], expected)


def test_a_walk_is_of_one_class_where_there_are_classes() -> None:
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0), num_classes=3).eval()
    with torch.no_grad():
        latents = make_walks(6, 8, seed=0)[-1]
        labels = torch.tensor([0, 1, 2, 0, 1, 2])
        expected = width_grid([generator(latents, labels, width=width) for width in generator.widths])
    assert torch.equal(generate_walk(generator, seed=0)[-1], expected)


def opened(picture: pictures.Picture) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(picture.uri.partition(",")[2])))


@pytest.mark.parametrize("most_bytes", [0, 10**6])
def test_an_animation_holds_every_frame_and_has_no_end(most_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", most_bytes)
    frames = list(torch.randint(0, 256, (5, 3, 20, 30), dtype=torch.uint8))
    image = opened(pictures.animation(frames))
    assert (image.n_frames, image.info["loop"], image.size) == (5, 0, (30, 20))  # type: ignore[attr-defined]


def test_a_picture_on_the_page_has_the_pixels_of_the_original() -> None:
    original = torch.randint(0, 256, (3, 8, 9), dtype=torch.uint8)
    image = opened(pictures.picture(original)).convert("RGB")
    assert list(image.tobytes()) == original.permute(1, 2, 0).flatten().tolist()
