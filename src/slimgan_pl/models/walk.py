"""Walks through latents, and their images at every width.

Shape legend: F frames, K stops, N walks, D = latent_dim, L labels, W widths.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from slimgan_pl.models.generator import SlimmableGenerator
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["make_closed_walk", "slerp", "walk_images"]

CHUNK = 256  # images computed at once, so that any number of frames fits in memory


def slerp(start: Tensor, end: Tensor, place: float) -> Tensor:
    """Interpolate latents ``(N, D)`` along great circles, and their norms linearly.

    ``place`` goes from 0 at the start to 1 at the end.
    """
    radii = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    first, last = start / radii[0], end / radii[1]
    angle = torch.acos((first * last).sum(-1, keepdim=True).clamp(-1 + 1e-6, 1 - 1e-6))
    between = torch.sin((1 - place) * angle) * first + torch.sin(place * angle) * last
    latents: Tensor = between / between.norm(dim=-1, keepdim=True) * torch.lerp(*radii, place)
    return latents


def make_closed_walk(stops: Tensor, num_frames: int) -> Tensor:
    """Return closed walks ``(F, N, D)`` from stop to stop.

    ``stops`` are latents ``(K, N, D)``; the first frame is the first of them.
    """
    places = [frame * len(stops) / num_frames for frame in range(num_frames)]
    pairs = [(stops[int(place)], stops[(int(place) + 1) % len(stops)], place % 1) for place in places]
    return torch.stack([slerp(*pair) if pair[2] else pair[0] for pair in pairs])


@torch.no_grad()
def walk_images(
    generator: SlimmableGenerator, latents: Tensor, labels: Sequence[int | None], widths: Sequence[float]
) -> Iterator[Tensor]:
    """Yield each frame's images ``(L, W, C, H, H)`` in [-1, 1].

    Args:
        generator: The generator, which stays as it is.
        latents: Shape ``(F, D)``.
        labels: Classes to show; a single None for a generator without classes.
        widths: Some of the generator's widths.
    """
    for chunk in latents.split(max(1, CHUNK // (len(labels) * len(widths)))):
        chunk = chunk.to(generator.device, generator.dtype)
        classes = [None if label is None else torch.full((len(chunk),), label, device=chunk.device) for label in labels]
        with evaluating(generator):
            images = [generator(chunk, each, width=width) for each in classes for width in widths]
        yield from torch.stack(images, dim=1).unflatten(1, (len(labels), len(widths)))
