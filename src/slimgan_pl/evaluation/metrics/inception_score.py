"""Inception score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slimgan_pl.evaluation.metrics.metric import Column, Metric

if TYPE_CHECKING:
    import torch

    from slimgan_pl.evaluation.statistics import ImageStatistics, RealSide

__all__ = ["METRIC"]


def compute(images: ImageStatistics, real: RealSide, device: torch.device) -> dict[str, float]:
    """Return the score and its deviation over splits, given class logits."""
    if images.score is None:
        return {}
    mean, deviation = images.score.tolist()
    return {"is": mean, "is_std": deviation}


METRIC = Metric(
    "is",
    (Column("is", "IS", "higher", "{:.4g}", is_named=True, of_logits=True, shows_std=True),),
    order=30,
    needs=("logits",),
    compute=compute,
    is_alone=True,
)
