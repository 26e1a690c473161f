"""Batch norms separate widths, and share one class affine where they should."""

from typing import Any

import pytest
import torch
from torch import nn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import (
    SliceableConditionalBatchNorm2d,
    SwitchableBatchNorm2d,
    SwitchableConditionalBatchNorm2d,
)

WIDTHS = (0.25, 0.5, 1.0)


def test_a_pass_moves_the_statistics_of_its_width_alone() -> None:
    norm: Any = SwitchableBatchNorm2d(8, WIDTHS)
    norm(torch.randn(4, 4, 3, 3) + 5, 0.5)
    moved = [bool(each.running_mean.abs().max() > 0) for each in norm.norms]
    assert moved == [False, True, False]


def test_switchable_batch_norm_equals_an_independent_one() -> None:
    norm, plain = SwitchableBatchNorm2d(8, WIDTHS), nn.BatchNorm2d(4)
    x = torch.randn(4, 4, 3, 3)
    torch.testing.assert_close(norm(x, 0.5), plain(x))


def test_a_width_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(SlimGANError, match="not one of"):
        SwitchableBatchNorm2d(8, WIDTHS)(torch.randn(2, 6, 3, 3), 0.75)


def test_sliceable_conditional_norm_shares_one_class_affine() -> None:
    norm = SliceableConditionalBatchNorm2d(8, WIDTHS, num_classes=3)
    x, labels = torch.randn(4, 4, 3, 3), torch.tensor([0, 1, 2, 0])
    gain, bias = norm.classes.gain.weight, norm.classes.bias.weight
    nn.init.normal_(bias)
    expected = nn.BatchNorm2d(4)(x) * gain[labels, :4, None, None] + bias[labels, :4, None, None]
    torch.testing.assert_close(norm(x, 0.5, labels), expected)
    assert sum(p.numel() for p in norm.classes.parameters()) == 3 * 2 * 8


def test_switchable_conditional_norm_has_an_embedding_per_width_and_no_other_affine() -> None:
    norm: Any = SwitchableConditionalBatchNorm2d(8, WIDTHS, num_classes=3)
    x, labels = torch.randn(4, 4, 3, 3), torch.tensor([0, 1, 2, 0])
    expected = nn.BatchNorm2d(4, affine=False)(x) * norm.classes[1].gain.weight[labels][:, :, None, None]
    torch.testing.assert_close(norm(x, 0.5, labels), expected)
    assert sum(p.numel() for p in norm.parameters()) == 3 * 2 * (2 + 4 + 8)
