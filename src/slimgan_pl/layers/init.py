"""Weight initialisation and spectral norm."""

import math
from typing import TypeVar

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["initialized", "scaled_normal", "spectral"]

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


def initialized(layer: Layer, gain: float = 1.0) -> Layer:
    """Set Xavier-uniform weights and a zero bias (Glorot and Bengio 2010)."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def scaled_normal(layer: Layer, gain: float = 1.0) -> Layer:
    """Set normal weights of deviation ``gain / sqrt(fan_in)`` and a zero bias (He et al. 2015).

    The fan-in of an embedding is its number of rows, as of a linear layer that takes one-hot rows.
    """
    fan_in = layer.num_embeddings if isinstance(layer, nn.Embedding) else layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain / math.sqrt(fan_in))
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def spectral(layer: Layer, gain: float = 1.0) -> Layer:
    """Initialise a layer, then apply spectral norm (Miyato et al. 2018).

    The order matters: an initialisation after the parametrization is registered is lost. In training mode each access
    of the weight runs one power iteration; ``torch.nn.utils.parametrize.cached()`` makes it one per update.
    """
    return spectral_norm(initialized(layer, gain))  # type: ignore[return-value]
