"""Checkpoints of the SlimGAN authors' code, and of plain GANs of the same layout.

Their nets are the ones here under other names: ``l1`` is the stem, ``block2.c1`` the first block's first convolution,
``b1.bn.0`` the first batch norm of the narrowest width.
"""

from slimgan_pl.interop.discriminators import Sharing, default_discriminators, find_sharing, make_discriminators
from slimgan_pl.interop.files import Weights, read_weights
from slimgan_pl.interop.generators import make_generator
from slimgan_pl.interop.importing import import_checkpoint

__all__ = [
    "Sharing",
    "Weights",
    "default_discriminators",
    "find_sharing",
    "import_checkpoint",
    "make_discriminators",
    "make_generator",
    "read_weights",
]
