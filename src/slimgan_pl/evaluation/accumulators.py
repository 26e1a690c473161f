"""Sums of features and class logits over batches and processes.

The sums are float64 and may lie on another device than the features, since some devices have no float64.
"""

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from slimgan_pl.evaluation.summaries import SHUFFLE_SEED, Gaussian

__all__ = ["ClassAgreement", "FeatureStatistics", "InceptionConsistency", "SplitScore", "device_of_sums"]


def device_of_sums(device: torch.device) -> torch.device:
    """Return the device itself, or the CPU if it has no float64."""
    return torch.device("cpu") if device.type == "mps" else device


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


class SplitScore(Metric):
    """Inception score, ``exp E[KL(p(y|x) || p(y))]``, over splits (Salimans et al. 2016).

    An image's number decides its split, so the score does not depend on batches or processes. The splits are those of
    torch-fidelity: consecutive parts of one fixed random order.

    Args:
        num_classes: Of the logits.
        num_samples: Images in all, numbered from 0.
        splits: Number of parts.
    """

    full_state_update = False
    counts: Tensor
    probabilities: Tensor
    negative_entropies: Tensor

    def __init__(self, num_classes: int, num_samples: int, splits: int) -> None:
        super().__init__()
        double = torch.float64
        self.split_of = split_numbers(num_samples, splits)
        self.add_state("counts", torch.zeros(splits, dtype=double), dist_reduce_fx="sum")
        self.add_state("probabilities", torch.zeros(splits, num_classes, dtype=double), dist_reduce_fx="sum")
        self.add_state("negative_entropies", torch.zeros(splits, dtype=double), dist_reduce_fx="sum")

    def update(self, logits: Tensor, numbers: Tensor) -> None:
        """Add class logits ``(N, K)`` of the images with these numbers ``(N,)``."""
        split = self.split_of[numbers.cpu()].to(self.device)
        log_p = logits.to(self.device).double().log_softmax(1)
        p = log_p.exp()
        self.counts.index_add_(0, split, torch.ones_like(p[:, 0]))
        self.probabilities.index_add_(0, split, p)
        self.negative_entropies.index_add_(0, split, (p * log_p).sum(1))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation over the splits that have images."""
        used = self.counts > 0
        marginal = self.probabilities[used] / self.counts[used, None]
        divergence = self.negative_entropies[used] / self.counts[used] - torch.xlogy(marginal, marginal).sum(1)
        scores = divergence.exp()
        return scores.mean(), scores.std(correction=0)


def split_numbers(num_samples: int, splits: int) -> Tensor:
    """Return the split ``(N,)`` of each image, as torch-fidelity cuts them."""
    order = torch.from_numpy(np.random.RandomState(SHUFFLE_SEED).permutation(num_samples))
    bounds = torch.tensor([index * num_samples // splits for index in range(1, splits + 1)])
    numbers = torch.empty(num_samples, dtype=torch.long)
    numbers[order] = torch.searchsorted(bounds, torch.arange(num_samples), right=True)
    return numbers


class InceptionConsistency(Metric):
    """Mean squared feature distance between each pair of widths.

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
        """Add features ``(W, N, F)`` of the same latents at each width."""
        features = features.to(self.device).double()
        self.count += features.shape[1]
        self.total += (features[:, None] - features[None]).square().sum(dim=(2, 3))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Return the mean over pairs of widths, and the matrix ``(W, W)``."""
        matrix = self.total / self.count
        num_pairs = len(matrix) * (len(matrix) - 1)
        return matrix.sum() / max(num_pairs, 1), matrix


class ClassAgreement(Metric):
    """Mean share of latents that two widths give the same class.

    Higher is better.
    """

    full_state_update = False
    count: Tensor
    same: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("count", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("same", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor) -> None:
        """Add logits ``(W, N, K)`` of the same latents at each width."""
        classes = logits.to(self.device).argmax(2)
        first, second = torch.triu_indices(len(classes), len(classes), offset=1, device=classes.device)
        self.count += classes.shape[1] * len(first)
        self.same += (classes[first] == classes[second]).sum()

    def compute(self) -> Tensor:
        """Return the share; NaN where there is a single width."""
        return self.same / self.count
