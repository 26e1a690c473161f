"""What is exported is held to PyTorch's images, all of them."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from exports import one_file, one_width
from seasoned import draw_inputs, seasoned
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.formats.base import Sampler
from slimgan_pl.export.ort import open_session, session_sampler
from slimgan_pl.export.parity import image_errors
from slimgan_pl.models import SlimmableGenerator


def torch_sampler(generator: SlimmableGenerator, change: Callable[[Tensor], Tensor] = lambda images: images) -> Sampler:
    return lambda latents, labels, width: change(generator(latents, labels, width=width))


def test_a_session_samples_each_width_of_its_file() -> None:
    generator = seasoned("switchable dcgan")
    narrow, widths = generator.widths[0], generator.widths
    every = session_sampler(open_session(one_file("switchable dcgan")), widths)
    one = session_sampler(open_session(one_width("switchable dcgan", narrow)), (narrow,))
    for width in widths:
        assert image_errors(every, generator, width).max_abs < 1e-5
    assert image_errors(one, generator, narrow).max_abs < 1e-5
    assert image_errors(lambda z, y, _: every(z, y, narrow), generator, 1.0).max_abs > 0.01
    with pytest.raises(SlimGANError, match="is not one of this generator's widths"):
        one(*draw_inputs(generator, 2), 1.0)


def test_errors_are_those_of_the_differences() -> None:
    generator = seasoned("dcgan")

    def change(images: Tensor) -> Tensor:
        shift = torch.zeros_like(images)
        shift[:, :, 0] = 0.25  # the first of 16 rows
        return images - shift

    found = image_errors(torch_sampler(generator, change), generator, 0.5)
    assert (found.width, found.distance) == (0.5, None)
    assert found.max_abs == pytest.approx(0.25)
    assert found.rms == pytest.approx(0.25 / 4)


@pytest.mark.parametrize("number", [0, 15, 16, 37, 63])
def test_every_image_is_compared(number: int) -> None:
    generator, wrong = seasoned("dcgan"), torch.arange(64) == number

    def sample(latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        nonlocal wrong
        images: Tensor = generator(latents, labels, width=width)
        images[wrong[: len(latents)]] += 1
        wrong = wrong[len(latents) :]
        return images

    found = image_errors(sample, generator, 0.25)
    assert len(wrong) == 0
    assert found.max_abs == pytest.approx(1)
    assert found.rms == pytest.approx(64**-0.5)


def test_a_generator_in_training_is_compared_in_evaluation_mode_and_stays_as_it_is() -> None:
    generator = seasoned("switchable dcgan")
    exact = image_errors(torch_sampler(seasoned("switchable dcgan")), generator.train(), 0.5)
    assert exact.max_abs == 0
    assert generator.training
    for now, before in zip(generator.buffers(), seasoned("switchable dcgan").buffers(), strict=True):
        assert torch.equal(now, before)


def test_latents_and_labels_are_always_the_same_and_of_every_class() -> None:
    generator = seasoned("sliceable resnet")

    def inputs() -> tuple[Tensor, Tensor]:
        found = []

        def sample(latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
            assert labels is not None
            found.append((latents, labels))
            images: Tensor = generator(latents, labels, width=width)
            return images

        image_errors(sample, generator, 1.0)
        latents, labels = zip(*found, strict=True)
        return torch.cat(latents), torch.cat(labels)

    (first, classes), (again, _) = inputs(), inputs()
    assert torch.equal(first, again)
    assert set(classes.tolist()) == set(range(5))
    assert abs(first.mean()) < 0.1
    assert first.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda images: images.where(images > images.min(), torch.tensor(np.nan)), "are not finite; export it in"),
        (lambda images: images / 0, "are not finite"),
        (
            lambda images: images[:1],
            r"generates images \(1, 1, 16, 16\) at width 0.5 where PyTorch generates \(16, 1, 16, 16\)",
        ),
    ],
)
def test_what_is_no_image_is_an_error(change: Callable[[Tensor], Tensor], words: str) -> None:
    generator = seasoned("dcgan")
    with pytest.raises(SlimGANError, match=words):
        image_errors(torch_sampler(generator, change), generator, 0.5)
