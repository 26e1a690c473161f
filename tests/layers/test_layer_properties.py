"""Properties of layers of any sizes."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from sharing import bounded

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import (
    SlicedConv2d,
    SlicedConvTranspose2d,
    SlicedLinear,
    SwitchableBatchNorm2d,
    check_widths,
    scale_channels,
)

examples = bounded(40)
shares = st.integers(1, 6).flatmap(lambda parts: st.tuples(st.just(parts), st.integers(1, parts)))
sizes = st.integers(1, 4)


@examples
@given(shares, sizes, sizes, st.integers(1, 3), st.integers(1, 2), st.booleans())
def test_a_sliced_layer_is_a_plain_one_with_the_first_channels(
    share: tuple[int, int], inputs: int, outputs: int, side: int, stride: int, bias: bool
) -> None:
    parts, used = share
    width, low, high = used / parts, inputs * used, outputs * used
    x = torch.randn(2, low, 7, 7)
    conv = SlicedConv2d(inputs * parts, outputs * parts, side, stride, bias=bias)
    offset = conv.bias[:high] if conv.bias is not None else None
    torch.testing.assert_close(conv(x, width), F.conv2d(x, conv.weight[:high, :low], offset, stride))
    back = SlicedConvTranspose2d(inputs * parts, outputs * parts, side, stride, bias=bias)
    offset = back.bias[:high] if back.bias is not None else None
    torch.testing.assert_close(back(x, width), F.conv_transpose2d(x, back.weight[:low, :high], offset, stride))
    linear = SlicedLinear(inputs * parts, outputs * parts, bias=bias)
    offset = linear.bias[:high] if bias else None
    torch.testing.assert_close(
        linear(x[:, :, 0, 0], width), F.linear(x[:, :, 0, 0], linear.weight[:high, :low], offset)
    )


@examples
@given(st.lists(st.integers(1, 8), min_size=1, max_size=4, unique=True), sizes)
def test_each_width_is_normalized_by_its_own_statistics_alone(numbers: list[int], multiple: int) -> None:
    top = max(numbers)
    widths = [number / top for number in sorted(numbers)]
    norm = SwitchableBatchNorm2d(top * multiple, widths)
    for number, width in zip(sorted(numbers), widths, strict=True):
        means = [norm.get_buffer(f"norms.{other}.running_mean") for other in range(len(widths))]
        before = [mean.clone() for mean in means]
        x = torch.randn(3, number * multiple, 2, 2)
        torch.testing.assert_close(norm(x, width), F.batch_norm(x, None, None, training=True))
        moved = [not torch.equal(old, mean) for old, mean in zip(before, means, strict=True)]
        assert moved == [other == width for other in widths]


@examples
@given(st.lists(st.floats(), max_size=5))
def test_a_list_of_widths_is_kept_or_refused(widths: list[float]) -> None:
    ascends = bool(widths) and widths[0] > 0 and widths[-1] == 1
    ascends = ascends and all(low < high for low, high in pairwise(widths))
    if ascends:
        assert check_widths(widths) == tuple(widths)
        return
    with pytest.raises(SlimGANError, match="must ascend from above 0"):
        check_widths(widths)


@examples
@given(st.integers(-9, 64), st.integers(1, 9), st.integers(1, 9))
def test_channels_scale_to_whole_numbers_or_the_layer_is_named(channels: int, used: int, parts: int) -> None:
    if channels > 0 and channels * used % parts == 0:
        assert scale_channels(channels, used / parts) == channels * used // parts
        return
    with pytest.raises(SlimGANError, match=f"^stem: {channels} channels at width "):
        scale_channels(channels, used / parts, "stem")
