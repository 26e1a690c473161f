"""A safetensors file per width, for PyTorch without Lightning."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from slimgan_pl.export.formats import Precision
from slimgan_pl.export.formats.base import Format, Sampler, Written
from slimgan_pl.export.precision import convert_precision
from slimgan_pl.models import SlimmableGenerator, load_generator, save_generator
from slimgan_pl.models.folding import folded_slice
from slimgan_pl.runs.checkpoints import Source

__all__ = ["FORMAT"]

WITH_TORCH = """\
import torch

from slimgan_pl.models import load_generator
{% set is_own = not file.folded and generator.module.split(".")[0] != "slimgan_pl" %}
{% if is_own %}
from {{ generator.module }} import {{ generator.class.split(".")[0] }}
{% endif %}

generator = load_generator("{{ file.name }}"{% if is_own %}, classes=[{{ generator.class }}]{% endif %})
latents = torch.randn({{ count }}, {{ generator.latent_dim }}, dtype=torch.{{ file.precision }})
{% set arguments %}
latents{% if generator.num_classes %}, torch.arange({{ count }}) % {{ generator.num_classes }}{% endif %}
{% if file.widths[1:] %}, width={{ file.widths[0] | number }}{% endif %}
{% endset %}
with torch.no_grad():
    images = generator({{ arguments }})  # {{ shape }} in [-1, 1]
"""


class SafetensorsFormat(Format):
    """Weights of one width, with the schedule that builds its net.

    Args:
        precision: Of the weights.
        fold: Whether batch norms become part of the layers around them.
    """

    name = "safetensors"
    title = "safetensors"
    tag = "safetensors"
    taker = "`forward(latents, labels=None)` of the generator that `load_generator` returns"
    interface = "forward(latents, labels=None)"
    precisions = ("float32", "float16")
    options = ("fold",)
    snippets = (("With PyTorch and `slimgan-pl`:", WITH_TORCH),)

    def __init__(self, precision: Precision = "float32", fold: bool = False) -> None:
        super().__init__(precision)
        self.is_folded = fold

    def write(self, source: Source, widths: Sequence[float], folder: Path) -> Iterator[Written]:
        generator = source.model.inference_generator
        for width in widths:
            net: SlimmableGenerator = folded_slice(generator, width) if self.is_folded else generator.slice(width)
            path = folder / f"generator_{width:g}.safetensors"
            save_generator(convert_precision(net, self.float_precision), path, width)
            yield Written(path, (width,))

    def load(self, written: Written, generator: SlimmableGenerator) -> Sampler:
        loaded = load_generator(written.path, [type(generator)])

        @torch.no_grad()
        def sample(latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
            images: Tensor = loaded(latents.to(loaded.dtype), labels)
            return images.float()

        return sample

    @classmethod
    def input_dtype(cls, file: Mapping[str, Any]) -> str:
        return str(file["precision"])


FORMAT = SafetensorsFormat
