"""Properties of generators of any schedule."""

import re
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sharing import bounded

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, count_parameters

examples = bounded(25)
kinds = st.sampled_from([DCGANGenerator, ResNetGenerator])
schedules = st.lists(st.integers(1, 3), min_size=1, max_size=4)
parts = st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True).map(sorted)


def make(kind: type, schedule: list[int], numbers: list[int], classes: int = 0) -> DCGANGenerator | ResNetGenerator:
    top = numbers[-1]
    widths = [number / top for number in numbers]
    generator: DCGANGenerator | ResNetGenerator = kind(
        [entry * top for entry in schedule], 2, 3, 1, widths, num_classes=classes
    )
    return generator.eval()


@torch.no_grad()
@examples
@given(kinds, schedules, parts, st.sampled_from([0, 3]))
def test_any_width_generates_what_its_slice_generates(
    kind: type, schedule: list[int], numbers: list[int], classes: int
) -> None:
    generator = make(kind, schedule, numbers, classes)
    latents, labels = torch.randn(2, 3), torch.tensor([0, 2]) if classes else None
    for width in generator.widths:
        images = generator(latents, labels, width=width)
        torch.testing.assert_close(images, generator.slice(width)(latents, labels), atol=1e-5, rtol=0)


@examples
@given(schedules, parts)
def test_parameters_of_a_slice_are_as_many_as_the_schedule_says(schedule: list[int], numbers: list[int]) -> None:
    dcgan, resnet = (make(kind, schedule, numbers) for kind in (DCGANGenerator, ResNetGenerator))
    for number in numbers:
        channels = [entry * number for entry in schedule]
        ends = channels[0] * 4 * (3 + 1) + channels[-1] * 9 + 1
        blocks = sum(low * high * 16 + 3 * high for low, high in pairwise(channels))
        assert count_parameters(dcgan, number / numbers[-1]) == ends + blocks
        blocks = sum(10 * low * high + 9 * high * high + 2 * low + 5 * high for low, high in pairwise(channels))
        assert count_parameters(resnet, number / numbers[-1]) == ends + blocks + 2 * channels[-1]


@examples
@given(kinds, st.lists(st.integers(-2, 12), max_size=3), st.lists(st.integers(-1, 5), min_size=1, max_size=3))
def test_a_schedule_is_taken_or_its_stage_channels_and_width_are_named(
    kind: type, channels: list[int], numbers: list[int]
) -> None:
    widths = [number / 5 for number in numbers]
    ascends = widths[-1] == 1 and widths[0] > 0 and all(low < high for low, high in pairwise(widths))
    odd = [(stage, n, w) for w in widths for stage, n in enumerate(channels) if n < 1 or (n * round(w * 5)) % 5]
    if ascends and channels and not odd:
        kind(channels, 1, 1, 1, widths)
        return
    with pytest.raises(SlimGANError) as error:
        kind(channels, 1, 1, 1, widths)
    if ascends and channels:
        stage, number, width = odd[0]
        assert re.match(rf"{kind.__name__} stage {stage}: {number} channels at width {width:g} ", str(error.value))
