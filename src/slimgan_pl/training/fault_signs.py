"""Faults of training, and the signs by which they are found.

A sign is relative to the training images or to the logits' own spread, so it holds for any data and any loss, also
where logits drift. Shape legend: W widths, N images, C channels, H = W pixels a side.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "FAULTS",
    "Signs",
    "find_lagging",
    "measure_disagreement",
    "measure_mismatch",
    "measure_separation",
    "measure_variety",
]

ALIKE = 0.1  # variety below which images are copies; widths that learn the digits have 0.4 or more from iteration 50 on
SAME = 0.1  # disagreement below which widths generate the same images; those of the digits get to 0.04
UNLIKE = 1.0  # mismatch above which the mean image is nearer to the data; new nets have 1.5 to 2.5, learnt digits 0.05
DISTINCT = 2.5  # separation of logits that their offset alone, by which all signs can be the same, does not have
APART = 4.0  # separation of logits: fewer than 3 in 1,000 pairs are in the wrong order, if the logits are normal
CERTAIN = 0.8  # mean real_sign of discriminators that know the training images; adaptive augmentation aims at 0.6
MEMORABLE = 20  # epochs before which discriminators cannot know them
LAGGING = 2.0  # times the metric of each neighbour


class Signs(NamedTuple):
    """Signs of one width; NaN where unknown.

    Attributes:
        variety: That of the fakes over that of training images.
        disagreement: Result of ``measure_disagreement``.
        mismatch: Result of ``measure_mismatch``.
        separation: Result of ``measure_separation``.
        real_sign: The training metric, as a mean over looks.
        epochs: Epochs so far.
    """

    variety: float
    disagreement: float
    mismatch: float
    separation: float
    real_sign: float
    epochs: float


FAULTS: Mapping[str, Callable[[Signs], bool]] = {  # the first that lasts is the cause of the others
    "collapse": lambda signs: signs.variety < ALIKE,
    "agreement": lambda signs: signs.disagreement < SAME and signs.mismatch > UNLIKE,
    "overfitting": lambda signs: signs.real_sign > CERTAIN and signs.separation > DISTINCT and signs.epochs > MEMORABLE,
    "victory": lambda signs: signs.separation > APART,
}


def measure_variety(images: Tensor) -> Tensor:
    """Return the median distance ``(...)`` of images to the nearest other.

    Images are ``(..., N, C, H, W)``. It is 0 where most images have a copy, whether all are alike or copies of a few.
    """
    points = images.float().flatten(-3)
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    distances.diagonal(dim1=-2, dim2=-1).fill_(float("inf"))
    return distances.amin(-1).quantile(0.5, -1)  # median() would be refused by deterministic algorithms


def measure_disagreement(fakes: Tensor, real: Tensor) -> Tensor:
    """Return the largest distance between the images of neighbouring widths.

    It is the mean squared one, relative to the variance of the real images.

    Args:
        fakes: Images ``(W, N, C, H, W)`` of the same latents.
        real: Training images ``(N, C, H, W)``.

    Returns:
        A number: 0 where widths generate the same images, 2 where theirs are as far apart as two training images; NaN
        of a single width.
    """
    if len(fakes) == 1:
        return fakes.new_full((), float("nan"))
    distances = (fakes[1:] - fakes[:-1]).float().square().sum((-3, -2, -1)).mean(-1)
    return distances.max() / variance(real)


def measure_mismatch(fakes: Tensor, real: Tensor) -> Tensor:
    """Return the squared Fréchet distance of pixels to the real ones.

    Each pixel has a normal distribution. It is relative to the variance of the real images.

    Args:
        fakes: Images ``(..., N, C, H, W)``.
        real: Training images ``(N, C, H, W)``.

    Returns:
        Numbers ``(...)``: 0 where means and deviations of all pixels are the same, 1 where each fake is the mean image.
    """
    (means, deviations), (real_means, real_deviations) = (
        (images.float().mean(-4), images.float().std(-4)) for images in (fakes, real)
    )
    distances = (means - real_means).square() + (deviations - real_deviations).square()
    return distances.sum((-3, -2, -1)) / variance(real)


def measure_separation(real: Tensor, fake: Tensor) -> Tensor:
    """Return the standard deviations between real and fake logits ``(..., N)``.

    It stays the same if all logits grow by a constant or a factor.
    """
    real, fake = real.float(), fake.float()
    spread = ((real.var(-1) + fake.var(-1)) / 2).sqrt()
    return (real.mean(-1) - fake.mean(-1)) / spread


def find_lagging(values: Sequence[float]) -> list[int]:
    """Return the positions of widths that lag behind.

    Their metric is at least twice that of each neighbour.

    >>> find_lagging([26.0, 12.0, 10.0, 10.5]), find_lagging([14.0, 12.0, 31.0, 10.0]), find_lagging([90.0, 40.0, 17.0])
    ([0], [2], [0])
    """
    lagging = []
    for index, value in enumerate(values):
        neighbours = [*values[max(index - 1, 0) : index], *values[index + 1 : index + 2]]
        if neighbours and all(0 < LAGGING * neighbour <= value for neighbour in neighbours):
            lagging.append(index)
    return lagging


def variance(images: Tensor) -> Tensor:
    """Return the sum of the pixels' variances."""
    return images.float().var(-4).sum((-3, -2, -1))
