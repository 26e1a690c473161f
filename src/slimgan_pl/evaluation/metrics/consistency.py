"""Consistency of images between widths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slimgan_pl.evaluation.metrics.metric import Column, Metric

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["METRIC", "Consistency"]


class Consistency:
    """Feature distances and class agreement of each pair of widths on the same latents.

    Args:
        num_widths: Number of widths.
        has_classes: Whether there are logits.
        device: Device of features and logits.
    """

    def __init__(self, num_widths: int, has_classes: bool, device: torch.device) -> None:
        from slimgan_pl.evaluation.accumulators import ClassAgreement, InceptionConsistency, device_of_sums

        self.distances = InceptionConsistency(num_widths).to(device_of_sums(device))
        self.agreement = ClassAgreement().to(device_of_sums(device))
        self.has_classes = has_classes

    def update(self, features: list[Tensor], logits: list[Tensor]) -> None:
        """Add features ``(N, F)`` and, if there are any, logits ``(N, K)`` of the same N latents at each width."""
        import torch

        self.distances.update(torch.stack(features))
        if logits:
            self.agreement.update(torch.stack(logits))

    def compute(self) -> dict[str, Any]:
        """Return mIC, the matrix ``(W, W)`` behind it, and the agreement if there are classes."""
        mean, matrix = self.distances.compute()
        values: dict[str, Any] = {"mic": float(mean), "consistency": matrix.tolist()}
        if self.has_classes:
            values["agreement"] = float(self.agreement.compute())
        return values


METRIC = Metric(
    "mic",
    (
        Column("mic", "mIC", "lower", "{:.4g}", is_named=True),
        Column("agreement", "same class from a latent", "higher", "{:.1%}", of_logits=True),
    ),
    order=50,
    between=Consistency,
)
