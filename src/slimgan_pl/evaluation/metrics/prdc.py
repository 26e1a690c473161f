"""Precision, recall, density and coverage: metrics from distances to nearest neighbours.

All four come from one pass over the distances between the sets, a block at a time, so memory does not grow with the
square of the number of images. Features ``(N, F)`` may lie on the host in half precision; ``device`` computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from slimgan_pl.evaluation.metrics.metric import Column, Metric
from slimgan_pl.evaluation.summaries import Manifold

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from slimgan_pl.evaluation.statistics import ImageStatistics, RealSide

__all__ = ["COVERAGE_NEIGHBOURS", "FIDELITY_NEIGHBOURS", "METRIC", "Neighbours", "compare_manifolds", "make_manifold"]

BLOCK = 2**25  # distances at once: 128 MiB

COLUMNS = 2**13  # features that a block of them meets at once: cdist copies both sides

FIDELITY_NEIGHBOURS = 3  # of precision and recall, as their authors choose

COVERAGE_NEIGHBOURS = 5  # of density and coverage, as theirs do


class Neighbours(NamedTuple):
    """Precision, recall (Kynkäänniemi et al. 2019), density, coverage (Naeem et al. 2020).

    Higher is better.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def make_manifold(features: Tensor, device: torch.device | None = None) -> Manifold:
    """Return the manifold of features ``(N, F)``."""
    import torch

    count = len(features)
    nearest = [min(number, count - 1) for number in (FIDELITY_NEIGHBOURS, COVERAGE_NEIGHBOURS)]  # all of a few
    radii = [
        block.topk(nearest[1] + 1, largest=False).values[:, nearest].cpu()  # the first is the feature itself
        for _, block in distances(features, features, device)
    ]
    return Manifold(features, torch.cat(radii).T.contiguous())


def compare_manifolds(fake: Manifold, real: Manifold, device: torch.device | None = None) -> Neighbours:
    """Compare fakes and real images by each other's manifold.

    A fake counts for precision if it lies in the ball of some real image, and a real image for recall if it lies in
    that of some fake. Density is the mean number of real balls a fake lies in, over the neighbours that made them;
    coverage the share of real images whose ball holds a fake.
    """
    import torch

    device = device or torch.device("cpu")
    real_near, real_far = real.radii.to(device)
    fake_near = fake.radii[0].to(device)
    is_recalled = torch.zeros(len(real.features), dtype=torch.bool, device=device)
    nearest_fake = torch.full((len(real.features),), torch.inf, device=device)
    precise = inside = 0
    for rows, block in distances(fake.features, real.features, device):
        precise += int((block <= real_near).any(dim=1).sum())
        inside += int((block < real_far).sum())
        is_recalled |= (block <= fake_near[rows, None]).any(dim=0)
        nearest_fake = torch.minimum(nearest_fake, block.amin(dim=0))
    num_fake, neighbours = len(fake.features), min(COVERAGE_NEIGHBOURS, len(real.features) - 1)
    return Neighbours(
        precision=precise / num_fake,
        recall=is_recalled.double().mean().item(),
        density=inside / (neighbours * num_fake),
        coverage=(nearest_fake < real_far).double().mean().item(),
    )


def distances(first: Tensor, second: Tensor, device: torch.device | None) -> Iterator[tuple[slice, Tensor]]:
    """Yield blocks of rows with their Euclidean distances to another set.

    Features are taken from a common centre: ``cdist`` multiplies, and a large mean would cancel.
    """
    import torch

    from slimgan_pl.utils.torch_state import exact_float32

    columns = second.to(device).split(COLUMNS)
    centre = torch.stack([part.float().sum(0) for part in columns]).sum(0) / len(second)
    step = max(BLOCK // len(second), 1)
    for start in range(0, len(first), step):
        rows = slice(start, min(start + step, len(first)))
        block = first[rows].to(device, torch.float32) - centre
        with exact_float32(block.device):
            parts = [torch.cdist(block, part.float() - centre) for part in columns]
        yield rows, torch.cat(parts, dim=1)


def compute(fakes: ImageStatistics, real: RealSide, device: torch.device) -> dict[str, float]:
    """Return the four metrics of fakes against real images."""
    if fakes.features is None:
        return {}
    return compare_manifolds(make_manifold(fakes.features, device), real.statistics.manifold, device)._asdict()


METRIC = Metric(
    "prdc",
    (
        Column("precision", "Precision", "higher", head="prec."),
        Column("recall", "Recall", "higher", head="recall"),
        Column("density", "Density", "higher", head="dens."),
        Column("coverage", "Coverage", "higher", head="cov."),
    ),
    order=40,
    needs=("all features", "neighbours"),
    compute=compute,
)
