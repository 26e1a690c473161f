"""Conversion of checkpoints of the SlimGAN authors' code.

It takes plain GANs of its layout, too. The nets are the ones here under other names: ``l1`` is the stem,
``block2.c1`` the first block's first convolution, ``b1.bn.0`` the first batch norm of the narrowest width.
"""

from slimgan_pl.convert.discriminators import Sharing, default_discriminators, find_sharing, make_discriminators
from slimgan_pl.convert.files import Weights, read_weights
from slimgan_pl.convert.generators import make_generator

__all__ = [
    "Sharing",
    "Weights",
    "default_discriminators",
    "find_sharing",
    "make_discriminators",
    "make_generator",
    "read_weights",
]
