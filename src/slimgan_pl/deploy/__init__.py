"""What a trained generator becomes where it is only drawn from, in pure PyTorch."""

from slimgan_pl.deploy.folded import FoldedDCGANGenerator, FoldedGenerator, FoldedResNetGenerator
from slimgan_pl.deploy.folding import folded_slice

__all__ = ["FoldedDCGANGenerator", "FoldedGenerator", "FoldedResNetGenerator", "folded_slice"]
