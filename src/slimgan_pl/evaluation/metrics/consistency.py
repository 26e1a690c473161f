"""Consistency of images between widths."""

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["ClassAgreement", "InceptionConsistency"]


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
