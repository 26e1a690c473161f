"""What an exported file says of itself: the inputs it takes and the widths it has."""

import json
from typing import Any

from slimgan_pl.models.generator import SlimmableGenerator

__all__ = ["CONTRACT_KEY", "CONTRACT_VERSION", "IMAGES", "LABELS", "LATENTS", "WIDTH", "contract"]

CONTRACT_KEY = "slimgan"  # of the metadata of an ONNX or safetensors file
CONTRACT_VERSION = 1

LATENTS, LABELS, WIDTH, IMAGES = "latents", "labels", "width", "images"  # names of inputs and of the output


def contract(generator: SlimmableGenerator, widths: tuple[float, ...], **more: Any) -> dict[str, str]:
    """Return the metadata of an exported file.

    Args:
        generator: What is exported.
        widths: The widths that the file has, as shares of the trained generator's channels.
        more: Further plain values.
    """
    values = {
        "version": CONTRACT_VERSION,
        "widths": list(widths),
        "latent_dim": generator.latent_dim,
        "num_classes": generator.num_classes,
        "image_channels": generator.image_channels,
        "image_size": generator.image_size,
        **more,
    }
    return {CONTRACT_KEY: json.dumps(values)}
