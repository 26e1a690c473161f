"""Statistics of images for the metrics, collected by one or many processes."""

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.accumulators import FeatureStatistics, SplitScore, device_of_sums
from slimgan_pl.evaluation.features import Extracted, Extraction
from slimgan_pl.evaluation.summaries import Gaussian, Manifold, symmetric_root
from slimgan_pl.utils.distributed import gather_rows

__all__ = ["Collector", "ImageStatistics", "RealSide"]


class ImageStatistics(NamedTuple):
    """Statistics of a set of images, on the host.

    ``score`` holds mean and standard deviation of the inception score; ``features`` are ``(N, F)``, and ``radii`` those
    of their manifold. What no metric asked for is None.
    """

    gaussian: Gaussian
    score: Tensor | None
    features: Tensor | None = None
    radii: Tensor | None = None

    @property
    def manifold(self) -> Manifold:
        """The set's features and the balls around them."""
        assert self.features is not None
        assert self.radii is not None
        return Manifold(self.features, self.radii)


class RealSide:
    """Real images that all widths are compared with."""

    def __init__(self, statistics: ImageStatistics) -> None:
        self.statistics = statistics

    @cached_property
    def root(self) -> Tensor:
        """Symmetric square root of the covariance."""
        return symmetric_root(self.statistics.gaussian.covariance)


class Collector:
    """Collects the statistics of images numbered from 0.

    Sums are float64, on a device that has it. Features stay on the host, if they are kept at all.

    Args:
        extraction: Extractor of the features and logits.
        count: Features of images below this number count; this process extracts ``num_rows`` of them.
        score_count: Logits of images below this number count.
        splits: Parts of the score; None: no score.
        kept: Type to keep every feature in, or None.
    """

    def __init__(
        self,
        extraction: Extraction,
        count: int,
        num_rows: int,
        score_count: int,
        splits: int | None,
        kept: torch.dtype | None,
    ) -> None:
        self.count, self.score_count, self.device = count, score_count, extraction.device
        device, num_classes = device_of_sums(self.device), extraction.num_classes
        self.gaussian = FeatureStatistics(extraction.num_features).to(device)
        self.score = None
        if splits is not None and num_classes is not None:
            self.score = SplitScore(num_classes, score_count, splits).to(device)
        self.features = None if kept is None else torch.empty(num_rows, extraction.num_features, dtype=kept)
        self.num_kept = 0

    def update(self, numbers: Tensor, extracted: Extracted) -> None:
        """Add the images of these numbers ``(N,)``, which ascend."""
        features = extracted.features[: int((numbers < self.count).sum())]
        if len(features):
            self.gaussian.update(features)
            if self.features is not None:
                self.features[self.num_kept : self.num_kept + len(features)] = features.to(self.features.dtype).cpu()
                self.num_kept += len(features)
        is_scored = int((numbers < self.score_count).sum())
        if self.score is not None and extracted.logits is not None and is_scored:
            self.score.update(extracted.logits[:is_scored], numbers[:is_scored])

    def compute(self, total: int, batch_size: int, what: str) -> ImageStatistics:
        """Return the statistics of the images of all processes, on each.

        Processes shared ``total`` images in batches of ``batch_size``; messages call them ``what``.

        Raises:
            SlimGANError: If a feature is not finite, or too large for half precision.
        """
        gaussian = self.gaussian.compute()
        if not (gaussian.mean.isfinite().all() and gaussian.covariance.isfinite().all()):
            raise SlimGANError(
                f"the extractor's features of {what} are not all finite; look at the images and the extractor"
            )
        score = None if self.score is None else torch.stack(self.score.compute()).cpu()
        if score is not None and not score.isfinite().all():
            raise SlimGANError(f"the class logits of {what} are not all finite; look at the images and the classifier")
        if self.features is None:
            return ImageStatistics(gaussian, score)
        features = gather_rows(self.features, self.count, total, batch_size, self.device)
        self.features = None  # the returned statistics hold them now
        if not features.isfinite().all():
            raise SlimGANError(
                f"the extractor's features of {what} exceed 65,504, the range of half precision; scale them down, or "
                "leave kid and prdc out of --model.evaluator.metrics"
            )
        return ImageStatistics(gaussian, score, features)
