"""Multiply-accumulates are counted as PyTorch counts them, in every mode, and for every net."""

from typing import Any

import pytest
import torch
from seasoned import NETS, draw_inputs, seasoned
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from slimgan_pl.models import count_macs
from slimgan_pl.models.cost import MacCounter


@pytest.mark.parametrize("name", NETS)
def test_macs_are_half_of_the_floating_point_operations(name: str) -> None:
    generator = seasoned(name)
    for width in generator.widths:
        with FlopCounterMode(display=False) as counter:
            generator(*draw_inputs(generator, 1), width=width)
        assert count_macs(generator, width) == counter.get_total_flops() // 2 > 0
        with torch.inference_mode():
            assert count_macs(generator, width) == counter.get_total_flops() // 2


def test_backward_passes_count_too() -> None:
    layer = nn.Linear(4, 3)
    with MacCounter() as counter:
        layer(torch.ones(5, 4)).sum().backward()
    assert counter.macs == 2 * 5 * 4 * 3  # forward, and the gradient of the weight


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_a_convolutions_backward_pass_costs_twice_its_forward_pass(kind: Any, groups: int) -> None:
    conv, x = kind(8, 8, 3, padding=1, groups=groups), torch.ones(2, 8, 5, 5, requires_grad=True)
    with MacCounter() as forward:
        y = conv(x)
    assert forward.macs == 2 * 25 * 8 * 8 // groups * 9
    with MacCounter() as backward:
        y.sum().backward()
    assert backward.macs == 2 * forward.macs


class Learned(nn.Module):
    """A module whose layer takes a view of a parameter, which FlopCounterMode fails at under no_grad in torch 2.14."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Parameter(torch.ones(3, 4, 4))
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, count: int) -> Tensor:
        result: Tensor = self.conv(self.image.expand(count, -1, -1, -1))
        return result


@pytest.mark.parametrize("grad", [False, True])
def test_a_learned_constant_is_no_obstacle(grad: bool) -> None:
    with torch.set_grad_enabled(grad), MacCounter() as counter:
        Learned()(2)
    assert counter.macs == 2 * 3 * 2 * 16
