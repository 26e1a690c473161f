"""From statistics of images to figures, by name."""

from collections.abc import Collection
from typing import Any, Literal

import torch
from torch import Tensor

from slimgan_pl.evaluation.metrics import LOWER_IS_BETTER
from slimgan_pl.evaluation.metrics.consistency import ClassAgreement, InceptionConsistency
from slimgan_pl.evaluation.metrics.frechet import frechet_distance, symmetric_root
from slimgan_pl.evaluation.metrics.kernel import kernel_distance
from slimgan_pl.evaluation.metrics.prdc import compare_manifolds, make_manifold
from slimgan_pl.evaluation.statistics import ImageStatistics, device_of_sums

__all__ = ["LOWER_IS_BETTER", "BetweenWidths", "MetricName", "RealSide", "figures_of", "score_of"]

MetricName = Literal["fid", "kid", "is", "prdc", "mic"]


class RealSide:
    """Real images as all widths are compared with them; the root of their covariance is taken once."""

    def __init__(self, statistics: ImageStatistics) -> None:
        self.statistics = statistics
        self._root: Tensor | None = None

    @property
    def root(self) -> Tensor:
        """Symmetric square root of the covariance."""
        if self._root is None:
            self._root = symmetric_root(self.statistics.gaussian.covariance)
        return self._root


def figures_of(
    fakes: ImageStatistics, real: RealSide, metrics: Collection[MetricName], device: torch.device
) -> dict[str, float]:
    """Return the figures of a set of fakes against real images.

    Args:
        fakes: The fakes, all of whose features are there if a metric needs them.
        real: The real images.
        metrics: Which figures.
        device: Where distances between features are computed.
    """
    figures: dict[str, float] = {}
    if "fid" in metrics:
        figures["fid"] = frechet_distance(real.statistics.gaussian, fakes.gaussian, real.root)
    if "kid" in metrics and fakes.features is not None and real.statistics.features is not None:
        figures["kid"], figures["kid_std"] = kernel_distance(fakes.features, real.statistics.features)
    if "prdc" in metrics and fakes.features is not None:
        figures |= compare_manifolds(make_manifold(fakes.features, device), real.statistics.manifold, device)._asdict()
    return {**figures, **score_of(fakes)}


def score_of(statistics: ImageStatistics) -> dict[str, float]:
    """Return a set's inception score, if it has one."""
    if statistics.score is None:
        return {}
    mean, deviation = statistics.score.tolist()
    return {"is": mean, "is_std": deviation}


class BetweenWidths:
    """Collects how alike the widths are on the same latents; with a single width there is nothing to say."""

    def __init__(self, num_widths: int, device: torch.device) -> None:
        self.num_widths = num_widths
        self.consistency = InceptionConsistency(num_widths).to(device_of_sums(device))
        self.agreement = ClassAgreement().to(device_of_sums(device))

    def update(self, features: list[Tensor], logits: list[Tensor]) -> None:
        """Add features ``(N, F)`` and, if there are any, logits ``(N, K)`` of the same N latents at each width."""
        if self.num_widths == 1:
            return
        self.consistency.update(torch.stack(features))
        if logits:
            self.agreement.update(torch.stack(logits))

    def compute(self, has_classes: bool) -> dict[str, Any]:
        """Return the figures, as plain values."""
        if self.num_widths == 1:
            return {}
        mean, matrix = self.consistency.compute()
        figures = {"mic": float(mean), "consistency": matrix.tolist()}
        return {**figures, "agreement": float(self.agreement.compute())} if has_classes else figures
