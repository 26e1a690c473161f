"""Consistency of images between widths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slimgan_pl.evaluation.metrics.metric import Column, Metric

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["METRIC", "Consistency"]


class Consistency:
    """Feature distances and class agreement of each pair of widths."""

    def __init__(self, num_widths: int, has_classes: bool, device: torch.device) -> None:
        from slimgan_pl.evaluation.accumulators import ClassAgreement, InceptionConsistency, device_of_sums

        self.distances = InceptionConsistency(num_widths).to(device_of_sums(device))
        self.agreement = ClassAgreement().to(device_of_sums(device))
        self.has_classes = has_classes

    def update(self, features: list[Tensor], logits: list[Tensor]) -> None:
        """Add each width's features ``(N, F)`` and logits ``(N, K)``, if any."""
        import torch

        self.distances.update(torch.stack(features))
        if logits:
            self.agreement.update(torch.stack(logits))

    def compute(self) -> dict[str, Any]:
        """Return mIC, its matrix ``(W, W)``, and the agreement of any classes."""
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
