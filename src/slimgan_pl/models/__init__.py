"""Slimmable generators and discriminator banks, in pure PyTorch."""

from slimgan_pl.models.cost import count_macs, count_parameters
from slimgan_pl.models.dcgan import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.models.discriminator import DiscriminatorBank
from slimgan_pl.models.generator import Inputs, SlimmableGenerator
from slimgan_pl.models.recalibration import Change, recalibrate
from slimgan_pl.models.resnet import ResNetDiscriminatorBank, ResNetGenerator
from slimgan_pl.models.serialization import load_generator, save_generator

__all__ = [
    "Change",
    "DCGANDiscriminatorBank",
    "DCGANGenerator",
    "DiscriminatorBank",
    "Inputs",
    "ResNetDiscriminatorBank",
    "ResNetGenerator",
    "SlimmableGenerator",
    "count_macs",
    "count_parameters",
    "load_generator",
    "recalibrate",
    "save_generator",
]
