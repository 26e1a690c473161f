"""Summaries of feature sets that metrics compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SHUFFLE_SEED", "Gaussian", "Manifold", "symmetric_root"]

SHUFFLE_SEED = 2020  # torch-fidelity's, of the splits of the score and the subsets of the kernel distance


class Gaussian(NamedTuple):
    """Number, float64 mean ``(F,)`` and covariance ``(F, F)`` of features."""

    num_samples: int
    mean: Tensor
    covariance: Tensor


def symmetric_root(matrix: Tensor) -> Tensor:
    """Return the symmetric square root of a covariance ``(F, F)``."""
    import torch

    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root


class Manifold(NamedTuple):
    """Features ``(N, F)`` and the balls around them that approximate their manifold.

    ``radii`` ``(2, N)`` are the distances to the 3rd and to the 5th nearest other feature.
    """

    features: Tensor
    radii: Tensor
