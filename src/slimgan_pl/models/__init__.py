"""Slimmable generators and discriminator banks, in pure PyTorch."""

from slimgan_pl.models.cost import count_macs, count_parameters
from slimgan_pl.models.discriminators import DCGANDiscriminatorBank, DiscriminatorBank, ResNetDiscriminatorBank
from slimgan_pl.models.generators import DCGANGenerator, ResNetGenerator, SlimmableGenerator
from slimgan_pl.models.recalibration import Change, recalibrate

__all__ = [
    "Change",
    "DCGANDiscriminatorBank",
    "DCGANGenerator",
    "DiscriminatorBank",
    "ResNetDiscriminatorBank",
    "ResNetGenerator",
    "SlimmableGenerator",
    "count_macs",
    "count_parameters",
    "recalibrate",
]
