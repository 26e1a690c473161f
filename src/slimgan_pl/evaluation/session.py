"""One evaluation: images pass the extractor, processes share them, metrics come out."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor

from slimgan_pl.data.byte_array import ByteArray
from slimgan_pl.evaluation.features import Extraction
from slimgan_pl.evaluation.image_sources import FakeSource
from slimgan_pl.evaluation.metrics.metric import BetweenWidths, Metric, Need
from slimgan_pl.evaluation.metrics.prdc import make_manifold
from slimgan_pl.evaluation.protocols import Counts, choose
from slimgan_pl.evaluation.statistics import Collector, ImageStatistics, RealSide
from slimgan_pl.utils.distributed import failing_together, gather_objects, numbers_below, rank_and_world, share_batches

__all__ = ["Progress", "Session", "compute_metrics", "over_seeds"]

FLOAT32_BYTES = 2**29  # the features of two sets, beyond which they are kept in half precision

Progress = Callable[[Sequence[Tensor], str], Iterable[Tensor]]


@dataclass
class Session:
    """Extractor, numbers and metrics of an evaluation.

    ``progress`` wraps the batches of a pass over images or sets, given with a name, to show how far it is.
    """

    extraction: Extraction
    counts: Counts
    splits: int
    metrics: Collection[Metric]
    batch_size: int
    progress: Progress

    @property
    def kept(self) -> torch.dtype | None:
        """Type to keep features in; None if no metric needs them."""
        if not self.needs("all features"):
            return None
        rows = self.counts.real + self.counts.fake  # the same for one width as for many, whose metrics compare
        return torch.half if 4 * rows * self.extraction.num_features > FLOAT32_BYTES else torch.float32

    def needs(self, need: Need) -> bool:
        """Return whether some metric needs something."""
        return any(need in metric.needs for metric in self.metrics)

    def collect_real(self, real: ByteArray) -> ImageStatistics:
        """Return the statistics of the real images, on every process."""
        count = self.counts.real
        batches = share_batches(count, self.batch_size, *rank_and_world())
        collector, chosen = self._collector(count, count, batches), choose(len(real.images), count)
        with failing_together():
            for numbers in self.progress(batches, "Real images"):
                collector.update(numbers, self.extraction(torch.from_numpy(real.images[chosen[numbers.numpy()]])))
        statistics = collector.compute(count, self.batch_size, "the real images")
        if self.needs("neighbours") and statistics.features is not None:
            statistics = statistics._replace(radii=make_manifold(statistics.features, self.extraction.device).radii)
        return statistics

    def evaluate(self, source: FakeSource, real: RealSide, seed: int) -> dict[str, Any]:
        """Return each set's metrics as ``widths``, and those between sets."""
        rank, world = rank_and_world()
        names, total = source.names(), max(self.counts.fake, self.counts.score)
        batches = share_batches(total, self.batch_size, rank, world)
        collectors = [self._collector(self.counts.fake, self.counts.score, batches) for _ in names]
        between = self._between(len(names))
        source.start(self.counts, seed)
        with failing_together():
            for numbers in self.progress(batches, "Fakes"):
                outputs = [self.extraction(images) for images in source.draw(numbers)]
                for collector, output in zip(collectors, outputs, strict=True):
                    collector.update(numbers, output)
                if compared := int((numbers < self.counts.fake).sum()):
                    logits = [output.logits[:compared] for output in outputs if output.logits is not None]
                    for metric in between:
                        metric.update([output.features[:compared] for output in outputs], logits)
        mine = {}
        for number, (collector, name) in enumerate(zip(collectors, names, strict=True)):
            statistics = collector.compute(total, self.batch_size, name)
            if number % world == rank:
                mine[number] = statistics  # the others' features are let go
        rows = {}
        with failing_together():
            for number in map(int, self.progress([torch.tensor([number]) for number in mine], "Distances")):
                rows[number] = compute_metrics(mine[number], real, self.metrics, self.extraction.device)
        gathered = {number: row for part in gather_objects(rows) for number, row in part.items()}
        results: dict[str, Any] = {"widths": [gathered[number] for number in range(len(names))]}
        for metric in between:
            results |= metric.compute()
        return results

    def _between(self, num_widths: int) -> list[BetweenWidths]:
        """Return the accumulators of metrics between widths; a single width has none."""
        has_classes, device = self.extraction.num_classes is not None, self.extraction.device
        made = [metric.between(num_widths, has_classes, device) for metric in self.metrics if metric.between]
        return made if num_widths > 1 else []

    def _collector(self, count: int, score_count: int, batches: Sequence[Tensor]) -> Collector:
        return Collector(
            self.extraction,
            count=count,
            num_rows=len(numbers_below(count, batches)),
            score_count=score_count,
            splits=self.splits if self.needs("logits") else None,
            kept=self.kept,
        )


def compute_metrics(
    images: ImageStatistics, real: RealSide, metrics: Iterable[Metric], device: torch.device
) -> dict[str, float]:
    """Return metrics of images by keys without the extractor's name."""
    computed = [metric.compute(images, real, device) for metric in metrics if metric.compute is not None]
    return {key: value for values in computed for key, value in values.items()}


def over_seeds(heads: Sequence[dict[str, Any]], metrics: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return each seed's metrics, or their means with sample standard deviations.

    ``heads`` are the first entries of each row of ``widths``.

    >>> over_seeds([{"width": 1.0}], [{"widths": [{"fid": 3.0}]}, {"widths": [{"fid": 5.0}]}])["deviation"]
    {'widths': [{'fid': 1.4142135623730951}]}
    """
    mean = combine(metrics, fmean)
    rows = [{**head, **row} for head, row in zip(heads, mean.pop("widths"), strict=True)]
    spread = {"deviation": combine(metrics, stdev), "per_seed": list(metrics)} if len(metrics) > 1 else {}
    return {"widths": rows, **mean, **spread}


def combine(values: Sequence[Any], function: Callable[[Sequence[float]], float]) -> Any:
    """Apply a function to the numbers at each place of equal structures."""
    if isinstance(values[0], dict):
        return {key: combine([value[key] for value in values], function) for key in values[0]}
    if isinstance(values[0], list):
        return [combine(items, function) for items in zip(*values, strict=True)]
    return function(values)
