"""Grids of samples of every width."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.sampling import sample_images
from slimgan_pl.utils.images import drawable, width_grid

if TYPE_CHECKING:
    from slimgan_pl.training.slimgan import SlimGAN

__all__ = ["choose_classes", "sample_grid"]

MOST_CLASSES = 10  # classes in a grid


def sample_grid(
    model: "SlimGAN | SlimmableGenerator", num_latents: int, seed: int, label: int | None = None, named: bool = True
) -> Tensor:
    """Return a uint8 picture ``(3, H, W)`` of each width's samples.

    Widths are rows, narrow to wide, and latents columns. With classes these rows come for each class in turn: for
    ``label`` alone, or for all, or ten of them where there are more; unless ``named`` is off, the class and the width
    stand beside each.
    """
    net, individual = (
        (model, None) if isinstance(model, SlimmableGenerator) else (model.inference_generator, model.individual)
    )
    rows, names = [], []
    for each in choose_classes(net.num_classes) if label is None else [label]:
        labels = torch.full((num_latents,), each) if net.num_classes else None
        for width in net.widths:
            rows.append(sample_images(net, num_latents, width, labels, torch.Generator().manual_seed(seed)))
            if net.num_classes and named:
                names.append(
                    (drawable(net.classes.names[each], f"{each}"), f"{individual or width:g}")
                )  # as tables and logs call it
    return width_grid(rows, names)


def choose_classes(num_classes: int) -> Sequence[int]:
    """Return at most ten classes to show; 0 without classes.

    >>> list(choose_classes(0)), list(choose_classes(20))
    ([0], [0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    """
    return range(0, max(num_classes, 1), -(-num_classes // MOST_CLASSES) or 1)
