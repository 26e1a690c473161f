"""Resampling by two is bilinear inside the image, and sees zeros beyond its border."""

import pytest
import torch
import torch.nn.functional as F

from slimgan_pl.layers import Downsample, Upsample


@pytest.mark.parametrize("size", [(4, 4), (5, 3)])
def test_upsampling_is_bilinear_of_an_image_among_zeros(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    padded = F.interpolate(F.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(Upsample()(x), padded[:, :, 2:-2, 2:-2])


def test_downsampling_is_the_adjoint_of_upsampling_over_four() -> None:
    x, y = torch.randn(2, 3, 8, 6), torch.randn(2, 3, 4, 3)
    torch.testing.assert_close((Downsample()(x) * y).sum(), (x * Upsample()(y)).sum() / 4)


def test_a_constant_image_stays_constant_inside() -> None:
    ones = torch.ones(1, 1, 8, 8)
    torch.testing.assert_close(Upsample()(ones)[..., 1:-1, 1:-1], torch.ones(1, 1, 14, 14))
    torch.testing.assert_close(Downsample()(ones)[..., 1:-1, 1:-1], torch.ones(1, 1, 2, 2))


def test_a_downsampling_convolution_is_every_second_place_of_a_smoothed_one() -> None:
    x, weight, bias = torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3), torch.randn(4)
    down = Downsample()
    padded = F.pad(x, (2, 2, 2, 2))
    smooth = F.conv2d(padded, down.kernel.expand(3, 1, 4, 4), groups=3)
    expected = F.conv2d(smooth, weight, bias)[..., ::2, ::2]
    torch.testing.assert_close(down.convolve(x, weight, bias), expected)
    assert down.convolve(x, weight, bias).shape == (2, 4, 4, 4)


def test_kernels_are_no_part_of_a_state() -> None:
    assert not Upsample().state_dict()
    assert Upsample().double()(torch.ones(1, 1, 2, 2, dtype=torch.float64)).dtype == torch.float64
