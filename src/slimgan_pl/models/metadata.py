"""Metadata of a generator's file: its inputs and its widths."""

import json
from typing import Any

from slimgan_pl.models.generator import SlimmableGenerator

__all__ = ["IMAGES", "LABELS", "LATENTS", "METADATA_KEY", "METADATA_VERSION", "WIDTH", "generator_metadata"]

METADATA_KEY = "slimgan"  # key in the metadata of an ONNX or safetensors file
METADATA_VERSION = 1

LATENTS, LABELS, WIDTH, IMAGES = "latents", "labels", "width", "images"  # names of inputs and of the output


def generator_metadata(generator: SlimmableGenerator, widths: tuple[float, ...], **more: Any) -> dict[str, str]:
    """Return the metadata of a generator's ONNX or safetensors file.

    Args:
        generator: The generator in the file.
        widths: Widths in the file, as shares of the trained generator's channels.
        more: Further plain values.
    """
    values = {
        "version": METADATA_VERSION,
        "widths": list(widths),
        "latent_dim": generator.latent_dim,
        "num_classes": generator.num_classes,
        "image_channels": generator.image_channels,
        "image_size": generator.image_size,
        **more,
    }
    return {METADATA_KEY: json.dumps(values)}
