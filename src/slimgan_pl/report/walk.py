"""A closed walk through latents, drawn at every width."""

import torch
from torch import Tensor

from slimgan_pl.images import width_grid
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.modes import evaluating

__all__ = ["closed_walk", "draw_walk", "slerp"]

STOPS, STEPS = 5, 8  # latents on the way, and frames from one to the next

MOST_COLUMNS, MOST_PIXELS = 6, 384  # walks beside each other, and pixels that they may take together


def slerp(start: Tensor, end: Tensor, place: float) -> Tensor:
    """Return latents ``(N, D)`` on the great circles between latents of equal norms; ``place`` is from 0 to 1."""
    radius = start.norm(dim=-1, keepdim=True)
    cosine = (start * end).sum(-1, keepdim=True) / radius**2
    angle = torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
    between = torch.sin((1 - place) * angle) * start + torch.sin(place * angle) * end
    latents: Tensor = between / between.norm(dim=-1, keepdim=True) * radius
    return latents


def closed_walk(num_walks: int, latent_dim: int, seed: int) -> Tensor:
    """Return latents ``(frames, num_walks, latent_dim)`` that go round on the sphere where most of a Gaussian lies."""
    source = torch.Generator().manual_seed(seed)
    stops = torch.randn(STOPS, num_walks, latent_dim, generator=source)
    stops = stops / stops.norm(dim=-1, keepdim=True) * latent_dim**0.5
    pairs = zip(stops, stops.roll(-1, dims=0), strict=True)
    return torch.stack([slerp(start, end, step / STEPS) for start, end in pairs for step in range(STEPS)])


@torch.no_grad()
def draw_walk(generator: SlimmableGenerator, seed: int) -> list[Tensor]:
    """Return the frames as uint8 pictures ``(3, H, W)``: a row per width, narrow to wide, and a column per walk.

    Each walk is of one class, where there are classes.
    """
    columns = max(1, min(MOST_COLUMNS, MOST_PIXELS // generator.image_size))
    labels = torch.arange(columns) % generator.num_classes if generator.num_classes else None
    frames = []
    with evaluating(generator):
        for latents in closed_walk(columns, generator.latent_dim, seed):
            latents = latents.to(generator.image.weight)
            frames.append(width_grid([generator(latents, labels, width=width) for width in generator.widths]))
    return frames
