"""Grids of samples of every width."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.images import width_grid

__all__ = ["sample_grid", "shown_classes"]

MOST_CLASSES = 10  # classes in a grid


def sample_grid(model: SlimGAN, num_latents: int, seed: int, label: int | None = None) -> Tensor:
    """Return a uint8 picture ``(3, H, W)``: a row per width, narrow to wide, and a column per latent.

    With classes these rows come for each class in turn: for ``label`` alone, or for all, or ten of them where there are
    more.
    """
    classes = model.generator.num_classes
    shown: Iterable[int] = shown_classes(classes) if label is None else [label]
    rows = [
        model.sample(
            num_latents,
            width,
            torch.full((num_latents,), each) if classes else None,
            torch.Generator().manual_seed(seed),
        )
        for each in shown
        for width in model.generator.widths
    ]
    return width_grid(rows)


def shown_classes(num_classes: int) -> Sequence[int]:
    """Return the classes that a grid shows: all, ten of them where there are more, or a single 0 without classes.

    >>> list(shown_classes(0)), list(shown_classes(20))
    ([0], [0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    """
    return range(0, max(num_classes, 1), -(-num_classes // MOST_CLASSES) or 1)
