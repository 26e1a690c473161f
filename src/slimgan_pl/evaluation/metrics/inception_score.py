"""Inception score."""

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from slimgan_pl.evaluation.metrics.frechet import SHUFFLE_SEED

__all__ = ["SplitScore"]


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
        """Return mean and standard deviation of the score over the splits that have images."""
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
