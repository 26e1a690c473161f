"""Slimmable generators and discriminator banks, in pure PyTorch."""

from slimgan_pl.models.classes import Classes
from slimgan_pl.models.cost import count_macs, count_parameters
from slimgan_pl.models.dcgan import DCGANDiscriminatorBank, DCGANGenerator, FoldedDCGANGenerator
from slimgan_pl.models.discriminator import DiscriminatorBank
from slimgan_pl.models.folding import FoldedGenerator, folded_slice
from slimgan_pl.models.generator import Inputs, SlimmableGenerator
from slimgan_pl.models.r3 import R3DiscriminatorBank, R3Generator
from slimgan_pl.models.recalibration import Change, recalibrate
from slimgan_pl.models.resnet import FoldedResNetGenerator, ResNetDiscriminatorBank, ResNetGenerator
from slimgan_pl.models.serialization import load_generator, save_generator
from slimgan_pl.models.staged import StagedGenerator
from slimgan_pl.models.stylegan2 import StyleGAN2Generator
from slimgan_pl.models.stylegan2_discriminator import StyleGAN2DiscriminatorBank
from slimgan_pl.models.stylegan2_folded import FoldedStyleGAN2Generator

__all__ = [
    "Change",
    "Classes",
    "DCGANDiscriminatorBank",
    "DCGANGenerator",
    "DiscriminatorBank",
    "FoldedDCGANGenerator",
    "FoldedGenerator",
    "FoldedResNetGenerator",
    "FoldedStyleGAN2Generator",
    "Inputs",
    "R3DiscriminatorBank",
    "R3Generator",
    "ResNetDiscriminatorBank",
    "ResNetGenerator",
    "SlimmableGenerator",
    "StagedGenerator",
    "StyleGAN2DiscriminatorBank",
    "StyleGAN2Generator",
    "count_macs",
    "count_parameters",
    "folded_slice",
    "load_generator",
    "recalibrate",
    "save_generator",
]
