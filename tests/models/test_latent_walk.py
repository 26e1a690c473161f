"""A walk goes through its stops, closes, and shows the same images however it is computed."""

from typing import Any

import pytest
import torch
from seasoned import seasoned

from slimgan_pl.models import walk
from slimgan_pl.models.walk import make_closed_walk, slerp, walk_images


def test_the_way_between_two_latents_keeps_their_norm_and_goes_from_one_to_the_other() -> None:
    start, end = torch.nn.functional.normalize(torch.randn(2, 3, 16), dim=-1) * 4
    for place in (0.0, 0.2, 0.9, 1.0):
        assert torch.allclose(slerp(start, end, place).norm(dim=-1), torch.full((3,), 4.0))
    assert torch.allclose(slerp(start, end, 0.0), start, atol=1e-5)
    assert torch.allclose(slerp(start, end, 1.0), end, atol=1e-5)


def test_half_way_lies_as_far_from_both_ends() -> None:
    start, end = torch.eye(2)[:1], torch.eye(2)[1:]
    assert torch.allclose(slerp(start, end, 0.5), torch.full((1, 2), 0.5**0.5))


def test_norms_go_linearly_from_one_to_the_other() -> None:
    start, end = 2 * torch.eye(2)[:1], 4 * torch.eye(2)[1:]
    assert slerp(start, end, 0.25).norm() == pytest.approx(2.5)


def test_a_walk_goes_through_its_stops_and_closes() -> None:
    stops = torch.randn(4, 1, 16)
    frames = make_closed_walk(stops, 40)
    assert frames.shape == (40, 1, 16)
    assert torch.equal(frames[::10], stops)
    steps = (frames.roll(-1, dims=0) - frames).norm(dim=-1)  # the last leads to the first frame
    assert steps.max() < (stops.roll(-1, dims=0) - stops).norm(dim=-1).min() / 4


@pytest.mark.parametrize("frames", [7, 12])
def test_stops_need_not_divide_the_frames(frames: int) -> None:
    on_the_way = make_closed_walk(torch.randn(5, 1, 8), frames)
    steps = (on_the_way.roll(-1, dims=0) - on_the_way).norm(dim=-1)
    assert (steps > 0).all()


@pytest.mark.parametrize(("name", "labels"), [("dcgan", [None]), ("sliceable resnet", [0, 3])])
def test_frames_do_not_depend_on_the_chunks(name: str, labels: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = seasoned(name).train()
    latents = torch.randn(5, generator.latent_dim)
    whole = torch.stack(list(walk_images(generator, latents, labels, generator.widths)))
    monkeypatch.setattr(walk, "CHUNK", 1)
    assert torch.allclose(
        torch.stack(list(walk_images(generator, latents, labels, generator.widths))), whole, atol=1e-5
    )
    assert whole.shape[:3] == (5, len(labels), len(generator.widths))
    assert generator.training
    for row, label in enumerate(labels):
        classes = None if label is None else torch.full((5,), label)
        for column, width in enumerate(generator.widths):
            expected = generator.eval()(latents, classes, width=width)
            assert torch.allclose(whole[:, row, column], expected, atol=1e-5)
