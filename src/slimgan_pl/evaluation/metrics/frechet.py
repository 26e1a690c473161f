"""Metrics on features: pure functions compute, the classes only accumulate sums that add up over processes.

The sums are float64 and may lie on another device than the features, since some devices have no float64.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["FeatureStatistics", "Gaussian", "frechet_distance", "symmetric_root"]


SHUFFLE_SEED = 2020  # torch-fidelity's, of the splits of the score and the subsets of the kernel distance


class Gaussian(NamedTuple):
    """The Gaussian that stands for a set of features: their number, float64 mean ``(F,)`` and covariance ``(F, F)``."""

    num_samples: int
    mean: Tensor
    covariance: Tensor


def symmetric_root(matrix: Tensor) -> Tensor:
    """Return the symmetric square root of a covariance ``(F, F)``."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root


def frechet_distance(first: Gaussian, second: Gaussian, first_root: Tensor | None = None) -> float:
    """Return the Fréchet distance of two Gaussians, ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``.

    FID is this distance on Inception features (Heusel et al. 2017). The trace of the square root is taken through the
    symmetric ``C1^(1/2) C2 C1^(1/2)``, which has the same eigenvalues: they are real and stay non-negative.

    Args:
        first: One Gaussian.
        second: The other.
        first_root: ``symmetric_root`` of the first covariance, for one that is compared with many.
    """
    root = symmetric_root(first.covariance) if first_root is None else first_root
    product = torch.linalg.eigvalsh(root @ second.covariance @ root).clamp(min=0).sqrt().sum()
    traces = first.covariance.trace() + second.covariance.trace()
    distance = (first.mean - second.mean).square().sum() + traces - 2 * product
    return max(float(distance), 0.0)


class FeatureStatistics(Metric):
    """Mean and unbiased covariance of features, from float64 sums."""

    full_state_update = False
    count: Tensor
    total: Tensor
    outer: Tensor

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.add_state("count", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros(num_features, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("outer", torch.zeros(num_features, num_features, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, features: Tensor) -> None:
        """Add features ``(N, F)``."""
        features = features.to(self.device).double()
        self.count += len(features)
        self.total += features.sum(0)
        self.outer += features.T @ features

    def compute(self) -> Gaussian:
        """Return the Gaussian of all features so far."""
        mean = self.total / self.count
        covariance = (self.outer - self.count * torch.outer(mean, mean)) / (self.count - 1)
        return Gaussian(int(self.count), mean.cpu(), covariance.cpu())
