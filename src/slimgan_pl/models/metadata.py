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

    ``widths`` are those in the file, as shares of the trained generator's channels.
    """
    sizes = {name: getattr(generator, name) for name in ("latent_dim", "num_classes", "image_channels", "image_size")}
    if generator.num_classes:
        more["classes"] = generator.classes.to_json()
    values = {"version": METADATA_VERSION, "widths": list(widths), **sizes, **more}
    return {METADATA_KEY: json.dumps(values)}
