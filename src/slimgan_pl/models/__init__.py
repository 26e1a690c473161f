"""Slimmable generators and discriminator banks, in pure PyTorch."""

from slimgan_pl.models.cost import count_macs, count_parameters
from slimgan_pl.models.discriminators import DCGANDiscriminatorBank, DiscriminatorBank, ResNetDiscriminatorBank
from slimgan_pl.models.generators import DCGANGenerator, ResNetGenerator, SlimmableGenerator
from slimgan_pl.models.recalibration import Change, recalibrate
from slimgan_pl.models.saved import load_generator, save_generator

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
    "load_generator",
    "recalibrate",
    "save_generator",
]
