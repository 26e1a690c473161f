"""Kernel distance (KID)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from slimgan_pl.evaluation.metrics.metric import Column, Metric
from slimgan_pl.evaluation.summaries import SHUFFLE_SEED

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from slimgan_pl.evaluation.statistics import ImageStatistics, RealSide

__all__ = ["KID_SUBSETS", "KID_SUBSET_SIZE", "METRIC", "KernelDistance", "kernel_distance"]

KID_SUBSETS = 100

KID_SUBSET_SIZE = 1000


class KernelDistance(NamedTuple):
    """Mean and standard deviation over subsets."""

    mean: float
    deviation: float


def kernel_distance(fake: Tensor, real: Tensor) -> KernelDistance:
    """Return the kernel distance of two sets of features ``(N, F)``.

    KID is this distance on Inception features (Bińkowski et al. 2018). It is torch-fidelity's, on the same subsets: the
    unbiased squared MMD under ``(x.y / F + 1)^3``, its mean and standard deviation over 100 random subsets of 1,000, or
    of all where there are fewer.
    """
    import numpy as np
    import torch
    from torch_fidelity.metric_kid import kernel_mmd

    size = min(KID_SUBSET_SIZE, len(fake), len(real))
    random = np.random.RandomState(SHUFFLE_SEED)
    values = []
    for _ in range(KID_SUBSETS):
        parts = [features[torch.from_numpy(random.choice(len(features), size, False))] for features in (fake, real)]
        values.append(kernel_mmd(*(part.float().numpy() for part in parts)))
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def compute(fakes: ImageStatistics, real: RealSide, device: torch.device) -> dict[str, float]:
    """Return the distance of fakes from real images, and its deviation."""
    if fakes.features is None or real.statistics.features is None:
        return {}
    distance = kernel_distance(fakes.features, real.statistics.features)
    return {"kid": distance.mean, "kid_std": distance.deviation}


METRIC = Metric(
    "kid", (Column("kid", "KID", "lower", "{:.3g}", is_named=True),), order=20, needs=("all features",), compute=compute
)
