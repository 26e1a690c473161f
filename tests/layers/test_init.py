"""Spectral norm."""

from typing import Any

import torch
from torch import nn

from slimgan_pl.layers import spectral


def test_the_normalised_weight_has_spectral_norm_one() -> None:
    layer = spectral(nn.Conv2d(3, 8, 3), gain=5.0)
    for _ in range(100):
        layer.weight  # noqa: B018  # each access in training mode runs a power iteration
    norm = torch.linalg.matrix_norm(layer.eval().weight.flatten(1), ord=2)
    torch.testing.assert_close(norm, torch.tensor(1.0), rtol=1e-3, atol=0)


def test_the_initialisation_is_not_lost_and_the_bias_is_zero() -> None:
    layer: Any = spectral(nn.Linear(1000, 4), gain=1.0)
    bound = (6 / 1004) ** 0.5
    original = layer.parametrizations.weight.original
    assert 0.98 * bound < original.abs().max() <= bound  # Xavier-uniform; torch's own would reach 0.032
    assert layer.bias.abs().max() == 0
