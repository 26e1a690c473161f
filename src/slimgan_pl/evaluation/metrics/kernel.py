"""Kernel distance (KID)."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_fidelity.metric_kid import kernel_mmd

from slimgan_pl.evaluation.metrics.frechet import SHUFFLE_SEED

__all__ = ["KernelDistance", "kernel_distance"]

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
    size = min(KID_SUBSET_SIZE, len(fake), len(real))
    random = np.random.RandomState(SHUFFLE_SEED)
    values = []
    for _ in range(KID_SUBSETS):
        parts = [features[torch.from_numpy(random.choice(len(features), size, False))] for features in (fake, real)]
        values.append(kernel_mmd(*(part.float().numpy() for part in parts)))
    return KernelDistance(float(np.mean(values)), float(np.std(values)))
