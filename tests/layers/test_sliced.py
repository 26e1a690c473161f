"""A narrow layer is the first channels of the wide one."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from slimgan_pl.layers import SlicedConv2d, SlicedConvTranspose2d, SlicedEmbedding, SlicedLinear


def test_a_sliced_linear_equals_an_independent_one() -> None:
    layer = SlicedLinear(6, 8)
    x = torch.randn(3, 4)
    torch.testing.assert_close(layer(x, 0.25), F.linear(x, layer.weight[:2, :4], layer.bias[:2]))


@pytest.mark.parametrize("width", [0.25, 0.5, 1.0])
def test_a_sliced_convolution_equals_an_independent_one(width: float) -> None:
    layer = SlicedConv2d(8, 16, 3, stride=2, padding=1)
    x = torch.randn(2, int(8 * width), 7, 7)
    plain = torch.nn.Conv2d(int(8 * width), int(16 * width), 3, stride=2, padding=1)
    plain.weight.data = layer.weight[: int(16 * width), : int(8 * width)].detach().clone()
    assert plain.bias is not None
    assert layer.bias is not None
    plain.bias.data = layer.bias[: int(16 * width)].detach().clone()
    torch.testing.assert_close(layer(x, width), plain(x))


@pytest.mark.parametrize("width", [0.25, 0.5, 1.0])
def test_a_sliced_transposed_convolution_equals_an_independent_one(width: float) -> None:
    layer = SlicedConvTranspose2d(8, 16, 4, stride=2, padding=1)
    x = torch.randn(2, int(8 * width), 5, 5)
    plain = torch.nn.ConvTranspose2d(int(8 * width), int(16 * width), 4, stride=2, padding=1)
    plain.weight.data = layer.weight[: int(8 * width), : int(16 * width)].detach().clone()
    assert plain.bias is not None
    assert layer.bias is not None
    plain.bias.data = layer.bias[: int(16 * width)].detach().clone()
    torch.testing.assert_close(layer(x, width), plain(x))


@pytest.mark.parametrize(
    ("layer", "x", "used"),
    [
        (SlicedLinear(4, 8), torch.randn(2, 2), (slice(4), slice(2))),
        (SlicedConv2d(4, 8, 3), torch.randn(2, 2, 5, 5), (slice(4), slice(2))),
        (SlicedConvTranspose2d(4, 8, 4), torch.randn(2, 2, 5, 5), (slice(2), slice(4))),
    ],
)
def test_unused_channels_get_zero_gradient(
    layer: torch.nn.Linear | torch.nn.Conv2d, x: Tensor, used: tuple[slice, slice]
) -> None:
    layer(x, 0.5).square().sum().backward()
    assert layer.weight.grad is not None
    gradient = layer.weight.grad.clone()
    assert gradient[used].abs().min() > 0
    gradient[used] = 0
    assert gradient.abs().max() == 0


def test_the_output_is_whole_without_a_width() -> None:
    assert SlicedConv2d(8, 3, 3, padding=1)(torch.randn(1, 2, 4, 4)).shape == (1, 3, 4, 4)


def test_an_embedding_gives_the_first_numbers() -> None:
    layer = SlicedEmbedding(5, 8)
    assert torch.equal(layer(torch.tensor([3, 0]), 2), layer.weight[[3, 0], :2])
