"""Generators of the authors' code."""

import math
import re
from typing import Any

from slimgan_pl.convert.files import Tensors, fill
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator

__all__ = ["make_generator"]

RESIDUAL_PARTS = {"c1": "conv1", "c2": "conv2", "c_sc": "shortcut", "b1": "norm1", "b2": "norm2"}


def make_generator(tensors: Tensors) -> SlimmableGenerator:
    """Build a slimmable or plain generator; tensors' shapes give the schedule.

    Raises:
        LookupError, RuntimeError, ValueError: If the tensors belong to no known net.
    """
    residual = "block2.c1.weight" in tensors
    renamed = rename(tensors, residual)
    image_channels, last_channels = renamed["image.weight"].shape[:2]
    features, latent_dim = renamed["stem.weight"].shape
    if residual:
        channels = [renamed["blocks.0.conv1.weight"].shape[1]]
        channels += [value.shape[0] for name, value in renamed.items() if name.endswith("conv1.weight")]
    else:  # a transposed convolution's weight is (in, out, 4, 4)
        channels = [value.shape[0] for name, value in renamed.items() if name.endswith("conv.weight")]
        channels.append(last_channels)
    settings: dict[str, Any] = {
        "channels": channels,
        "bottom_size": math.isqrt(features // channels[0]),
        "latent_dim": latent_dim,
        "image_channels": image_channels,
        "widths": read_widths(renamed),
    }
    generator: SlimmableGenerator
    if residual:
        plain = next((name for name in renamed if name.endswith("classes.0.gain.weight")), None)
        embedding = plain or next((name for name in renamed if name.endswith("classes.gain.weight")), None)
        generator = ResNetGenerator(
            **settings,
            num_classes=renamed[embedding].shape[0] if embedding else 0,
            conditional_norm="switchable" if plain else "sliceable",
        )
    else:
        generator = DCGANGenerator(**settings)
    fill(generator, renamed)
    return generator


def read_widths(renamed: Tensors) -> list[float]:
    """Return the widths: sizes of one stage's batch norms over the last."""
    pattern = re.compile(r"blocks\.0\.norm1?\.(?:norm\.)?norms\.\d+\.running_mean")
    sizes = [value.numel() for name, value in renamed.items() if pattern.fullmatch(name)]
    return [size / sizes[-1] for size in sizes]


def rename(tensors: Tensors, residual: bool) -> Tensors:
    """Return the tensors of a generator under this package's names."""
    last = max(int(match[1]) for name in tensors if (match := re.fullmatch(r"c(\d+)\.weight", name)))
    prefixes = {"l1": "stem", f"c{last}": "image"}
    if residual:
        prefixes[f"b{last}"] = "norm"
        for block in range(2, last):
            prefixes |= {f"block{block}.{part}": f"blocks.{block - 2}.{name}" for part, name in RESIDUAL_PARTS.items()}
    else:
        for stage in range(1, last):
            prefixes |= {f"c{stage}": f"blocks.{stage - 1}.conv", f"b{stage}": f"blocks.{stage - 1}.norm"}
    renamed: Tensors = {}
    for name, value in tensors.items():
        prefix = next((prefix for prefix in prefixes if name.startswith(f"{prefix}.")), None)
        if prefix is None:
            raise LookupError(f"{name} has no counterpart")
        new, rest = prefixes[prefix], name.removeprefix(f"{prefix}.")
        if rest.endswith("embed.weight"):  # of 2C numbers per class, the gains first
            classes = f"{new}.classes"
            if own := re.fullmatch(r"c?bn\.(\d+)\.embed\.weight", rest):  # one per width: switchable
                classes += f".{own[1]}"
            elif not any(".cbn." in other for other in tensors):  # plain
                classes += ".0"
            renamed[f"{classes}.gain.weight"], renamed[f"{classes}.bias.weight"] = value.chunk(2, dim=1)
        else:
            is_norm = new.rpartition(".")[2].startswith("norm")
            renamed[f"{new}.{rename_norm(rest) if is_norm else rest}"] = value
    return renamed


def rename_norm(rest: str) -> str:
    """Rename a tensor of a batch norm of any kind."""
    rest = re.sub(r"^c?bn\.(\d+)\.bn\.", r"norm.norms.\1.", rest)
    rest = re.sub(r"^bn\.(\d)", r"norms.\1", rest)
    rest = re.sub(r"^cbn\.(\d)", r"norm.norms.\1", rest)
    rest = re.sub(r"^bn\.", "norm.norms.0.", rest)
    return rest if "norms." in rest else f"norms.0.{rest}"
