"""Metrics on features: pure functions compute, the classes only accumulate sums that add up over processes.

The sums are float64 and may lie on another device than the features, since some devices have no float64.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["ClassAgreement", "FeatureStatistics", "Gaussian", "InceptionConsistency", "SplitScore", "frechet_distance"]


class Gaussian(NamedTuple):
    """The Gaussian that stands for a set of features: their number, mean ``(F,)`` and covariance ``(F, F)``."""

    num_samples: int
    mean: Tensor
    covariance: Tensor


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Return the Fréchet distance of two Gaussians, ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``.

    FID is this distance on Inception features (Heusel et al. 2017). The trace of the square root is taken through the
    symmetric ``C1^(1/2) C2 C1^(1/2)``, which has the same eigenvalues: they are real and stay non-negative.
    """
    values, vectors = torch.linalg.eigh(first.covariance)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
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
        return Gaussian(int(self.count), mean, covariance)


class SplitScore(Metric):
    """Inception score, ``exp E[KL(p(y|x) || p(y))]``, over splits (Salimans et al. 2016).

    Images go to the splits in turn, by their number, so the score does not depend on batches or processes.
    """

    full_state_update = False
    counts: Tensor
    probabilities: Tensor
    negative_entropies: Tensor

    def __init__(self, num_classes: int, splits: int) -> None:
        super().__init__()
        self.splits = splits
        double = torch.float64
        self.add_state("counts", torch.zeros(splits, dtype=double), dist_reduce_fx="sum")
        self.add_state("probabilities", torch.zeros(splits, num_classes, dtype=double), dist_reduce_fx="sum")
        self.add_state("negative_entropies", torch.zeros(splits, dtype=double), dist_reduce_fx="sum")

    def update(self, logits: Tensor, numbers: Tensor) -> None:
        """Add class logits ``(N, K)`` of the images with these numbers ``(N,)``."""
        split = numbers.to(self.device) % self.splits
        log_p = logits.to(self.device).double().log_softmax(1)
        p = log_p.exp()
        self.counts.index_add_(0, split, torch.ones_like(p[:, 0]))
        self.probabilities.index_add_(0, split, p)
        self.negative_entropies.index_add_(0, split, (p * log_p).sum(1))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the score over the splits that have images."""
        used = self.counts > 0
        marginal = self.probabilities[used] / self.counts[used, None]
        divergence = self.negative_entropies[used] / self.counts[used] - torch.xlogy(marginal, marginal).sum(1)
        scores = divergence.exp()
        return scores.mean(), scores.std(correction=0)


class InceptionConsistency(Metric):
    """Mean squared feature distance of each pair of widths on the same latents.

    Its mean over ordered pairs is the mean inception consistency, mIC (Hou et al. 2021); lower is better.
    """

    full_state_update = False
    count: Tensor
    total: Tensor

    def __init__(self, num_widths: int) -> None:
        super().__init__()
        self.add_state("count", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros(num_widths, num_widths, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, features: Tensor) -> None:
        """Add features ``(W, N, F)`` of the same N latents at each width."""
        features = features.to(self.device).double()
        self.count += features.shape[1]
        self.total += (features[:, None] - features[None]).square().sum(dim=(2, 3))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Return the mean over ordered pairs of different widths, and the matrix ``(W, W)`` behind it."""
        matrix = self.total / self.count
        num_pairs = len(matrix) * (len(matrix) - 1)
        return matrix.sum() / max(num_pairs, 1), matrix


class ClassAgreement(Metric):
    """Share of latents for which two widths draw the same class, the mean over pairs of widths; higher is better."""

    full_state_update = False
    count: Tensor
    same: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("count", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("same", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor) -> None:
        """Add class logits ``(W, N, K)`` of the same N latents at each width."""
        classes = logits.to(self.device).argmax(2)
        first, second = torch.triu_indices(len(classes), len(classes), offset=1, device=classes.device)
        self.count += classes.shape[1] * len(first)
        self.same += (classes[first] == classes[second]).sum()

    def compute(self) -> Tensor:
        """Return the share; NaN where there is a single width."""
        return self.same / self.count
