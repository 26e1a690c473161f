"""Fréchet distance (FID)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slimgan_pl.evaluation.metrics.metric import Column, Metric
from slimgan_pl.evaluation.summaries import Gaussian, symmetric_root

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from slimgan_pl.evaluation.statistics import ImageStatistics, RealSide

__all__ = ["METRIC", "frechet_distance"]


def frechet_distance(first: Gaussian, second: Gaussian, first_root: Tensor | None = None) -> float:
    """Return the Fréchet distance of two Gaussians.

    It is ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``; FID takes it on Inception features (Heusel et al. 2017). The
    trace of the square root is taken through the symmetric ``C1^(1/2) C2 C1^(1/2)``, which has the same eigenvalues:
    they are real and stay non-negative.

    Args:
        first: One Gaussian.
        second: The other.
        first_root: ``symmetric_root`` of the first covariance, for one that is compared with many.
    """
    import torch

    root = symmetric_root(first.covariance) if first_root is None else first_root
    product = torch.linalg.eigvalsh(root @ second.covariance @ root).clamp(min=0).sqrt().sum()
    traces = first.covariance.trace() + second.covariance.trace()
    distance = (first.mean - second.mean).square().sum() + traces - 2 * product
    return max(float(distance), 0.0)


def compute(fakes: ImageStatistics, real: RealSide, device: torch.device) -> dict[str, float]:
    """Return the distance of fakes from real images."""
    return {"fid": frechet_distance(real.statistics.gaussian, fakes.gaussian, real.root)}


METRIC = Metric("fid", (Column("fid", "FID", "lower", "{:.4g}", is_named=True),), order=10, compute=compute)
