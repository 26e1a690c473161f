"""Images of a generator in evaluation mode, any number of them."""

import torch
from torch import Tensor

from slimgan_pl.models.generator import SlimmableGenerator
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["sample_images"]

CHUNK = 256  # images computed at once, so that any number fits in memory


@torch.no_grad()
def sample_images(
    net: SlimmableGenerator,
    num_images: int,
    width: float = 1.0,
    labels: Tensor | None = None,
    source: torch.Generator | None = None,
) -> Tensor:
    """Return new images ``(num_images, C, H, W)`` in [-1, 1].

    ``width`` is one of the generator's; batch-norm statistics stay as they are. Labels ``(num_images,)`` are sampled
    by the frequencies of the generator's ``classes`` where they are missing and needed. ``source`` is on the CPU; the
    same state gives the same latents at every width, and the same image number ``n`` for any number of images.
    """
    latents, labels = net.draw_inputs(num_images, source, labels)
    chunks = []
    with evaluating(net):
        for chunk in torch.arange(num_images).split(CHUNK):
            chunks.append(net(latents[chunk], None if labels is None else labels[chunk], width=width))
    return torch.cat(chunks).contiguous()
