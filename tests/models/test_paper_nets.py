"""The nets of the paper have its numbers of parameters and multiply-accumulates."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    ResNetDiscriminatorBank,
    ResNetGenerator,
    StagedGenerator,
    count_macs,
)


class PaperNet(NamedTuple):
    """A row of the paper: schedules, and the numbers to hold them to."""

    generator: type[StagedGenerator]
    channels: Sequence[int]
    bottom_size: int
    bank: type[DiscriminatorBank]
    bank_channels: Sequence[int]
    num_downsamples: int  # of a residual discriminator
    num_classes: int
    generator_parameters: int
    bank_parameters: int
    generator_macs: Sequence[float]  # millions, per width
    discriminator_macs: float


DC, RES = (DCGANGenerator, DCGANDiscriminatorBank), (ResNetGenerator, ResNetDiscriminatorBank)
TALL, WIDE = (1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024)
RES32_MACS = (106.50, 422.18, 947.06, 1681.13)
NETS = {
    "DCGAN-32": PaperNet(
        DC[0], TALL[1:], 4, DC[1], WIDE[:4], 0, 0, 3_813_699, 11_743_492, (7.00, 26.57, 58.74, 103.48), 108.73
    ),
    "DCGAN-48": PaperNet(
        DC[0], TALL[1:], 6, DC[1], WIDE[:4], 0, 0, 5_134_659, 11_784_452, (15.74, 59.79, 132.16, 232.83), 244.65
    ),
    "DCGAN-64": PaperNet(
        DC[0], TALL, 4, DC[1], WIDE, 0, 0, 13_262_147, 47_433_988, (35.85, 138.81, 308.87, 546.05), 577.52
    ),
    "ResNet-32": PaperNet(RES[0], (256,) * 4, 4, RES[1], (128,) * 4, 2, 0, 4_282_115, 4_215_300, RES32_MACS, 275.23),
    "ResNet-48": PaperNet(
        RES[0], TALL[1:], 6, RES[1], WIDE, 4, 0, 4_882_307, 40_565_764, (52.90, 208.43, 466.59, 827.38), 393.12
    ),
    "ResNet-64": PaperNet(
        RES[0], TALL, 4, RES[1], WIDE, 5, 0, 12_229_507, 40_565_764, (123.93, 491.13, 1101.59, 1955.33), 675.22
    ),
    "conditional ResNet-32": PaperNet(
        RES[0], (256,) * 4, 4, RES[1], (128,) * 4, 2, 10, 4_312_835, 4_220_420, RES32_MACS, 275.23
    ),
}


def build_generator(net: PaperNet) -> StagedGenerator:
    return net.generator(net.channels, net.bottom_size, num_classes=net.num_classes)


def build_bank(net: PaperNet, num_shared: int = 0) -> DiscriminatorBank:
    if net.bank is ResNetDiscriminatorBank:
        return ResNetDiscriminatorBank(
            net.bank_channels, net.num_downsamples, num_shared=num_shared, num_classes=net.num_classes
        )
    return DCGANDiscriminatorBank(net.bank_channels, net.bottom_size, num_shared=num_shared)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("name", NETS)
def test_parameter_counts_are_the_papers(name: str) -> None:
    net = NETS[name]
    assert count(build_generator(net)) == net.generator_parameters
    assert count(build_bank(net)) == net.bank_parameters


def test_a_shared_trunk_is_allocated_once() -> None:
    assert count(build_bank(NETS["ResNet-32"], num_shared=2)) == 2_825_220


@pytest.mark.parametrize("name", NETS)
def test_generator_macs_are_the_papers(name: str) -> None:
    """The paper counts a block's shortcut after the upsampling, where it costs four times what ours does before it."""
    net = NETS[name]
    generator = build_generator(net)
    for width, expected in zip(generator.widths, net.generator_macs, strict=True):
        saved = 0.0
        if net.generator is ResNetGenerator:
            channels = [channel * width for channel in net.channels]
            for stage, (low, high) in enumerate(pairwise(channels)):
                side = net.bottom_size * 2**stage
                saved += low * high * ((2 * side) ** 2 - side**2)
        assert (count_macs(generator, width) + saved) / 1e6 == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("name", NETS)
def test_discriminator_macs_are_the_papers(name: str) -> None:
    """For residual nets the paper's number includes three things that ours does not do in a forward pass.

    The 3x3 convolutions before a pooling as such, where ours makes one 4x4/2 of both; the shortcuts of all blocks but
    the first before the pooling; and three matrix-vector products per weight: the power iteration of spectral norm and
    its sigma, which run once per update here.
    """
    net = NETS[name]
    bank = build_bank(net).eval()
    side = bank.image_size or build_generator(net).image_size
    labels = torch.zeros(1, dtype=torch.long) if net.num_classes else None
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        bank(torch.zeros(1, 3, side, side), labels, branch=0)
    macs: float = counter.get_total_flops() / 2
    if net.bank is ResNetDiscriminatorBank:
        schedule = (3, *net.bank_channels)
        for stage in range(net.num_downsamples):
            before, after = side // 2**stage, side // 2 ** (stage + 1)
            low, high = schedule[stage], schedule[stage + 1]
            macs += (low if stage else high) * high * (9 * before**2 - 16 * after**2)
            macs += low * high * (before**2 - after**2) if stage else 0
        layers = nn.ModuleList([bank.branches[0], bank.heads[0]])
        macs += 3 * sum(p.numel() for n, p in layers.named_parameters() if n.endswith("original"))
    assert macs / 1e6 == pytest.approx(net.discriminator_macs, abs=0.005)
