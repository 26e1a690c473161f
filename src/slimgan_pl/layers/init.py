"""Weight initialisation and spectral norm."""

from typing import TypeVar

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["initialized", "spectral"]

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


def initialized(layer: Layer, gain: float = 1.0) -> Layer:
    """Set Xavier-uniform weights and a zero bias (Glorot and Bengio 2010)."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def spectral(layer: Layer, gain: float = 1.0) -> Layer:
    """Initialise a layer, then apply spectral norm (Miyato et al. 2018).

    The order matters: an initialisation after the parametrization is registered is lost. In training mode each access
    of the weight runs one power iteration; ``torch.nn.utils.parametrize.cached()`` makes it one per update.
    """
    return spectral_norm(initialized(layer, gain))  # type: ignore[return-value]
