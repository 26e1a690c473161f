"""Evaluation of each width's images against real images."""

import time
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from slimgan_pl.data.byte_array import ByteArray
from slimgan_pl.errors import MAX_SEED, SlimGANError, SlimGANWarning, check_choice, check_range
from slimgan_pl.evaluation.cache import StatisticsCache
from slimgan_pl.evaluation.extractors import check_name, make_extractor
from slimgan_pl.evaluation.features import Extraction, extractor_name
from slimgan_pl.evaluation.image_sources import FakeSource, GeneratorSource
from slimgan_pl.evaluation.metrics.kernel import KID_SUBSET_SIZE, KID_SUBSETS
from slimgan_pl.evaluation.metrics.prdc import COVERAGE_NEIGHBOURS, FIDELITY_NEIGHBOURS
from slimgan_pl.evaluation.metrics.registry import METRICS, MetricName
from slimgan_pl.evaluation.protocols import CHOICE_SEED, Counts, ProtocolName, make_protocol
from slimgan_pl.evaluation.results_json import metric_key
from slimgan_pl.evaluation.session import Progress, Session, compute_metrics, over_seeds
from slimgan_pl.evaluation.statistics import RealSide
from slimgan_pl.evaluation.summaries import SHUFFLE_SEED
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.utils.distributed import gather_objects, rank_and_world
from slimgan_pl.utils.environment import array_sha256, device_name, versions
from slimgan_pl.utils.recipes import Recorded

__all__ = ["Evaluator"]

MAX_SEEDS = 10_000


class Evaluator(Recorded):
    """Evaluation of every width of a generator against real images.

    One fixed set of latents (and labels) serves all widths: it makes them comparable and lowers the noise of their
    differences. Each image passes the extractor once. Statistics of real images are kept on disk beside their byte
    array. Several processes share the work, whole batches each, and come to the metrics that one would.

    Args:
        extractor: A name (``inception``, ``digits``, or one of torch-fidelity's such as ``dinov2-vit-b-14``), or a
            module that maps uint8 images ``(N, 3, H, W)`` to features ``(N, F)``, or to features and class logits.
        weights_path: File of the weights of an extractor given by name.
        classifier: Name of an extractor with class logits, or a module that maps such images to logits ``(N, K)``, for
            score and agreement in place of the extractor's own.
        protocol: ``test``: all test images against as many fakes; ``paper``: 10,000 test images against 10,000 fakes,
            the score on 50,000 (Hou et al. 2021); ``common``: all training images against 50,000 fakes. The numbers
            below take the place of its own.
        real_split: Split of the data that the real images come from.
        num_real: Real images; more than there are is an error.
        num_fake: Fakes per width.
        num_score: Fakes per width for the inception score, the first ``num_fake`` of them those of the other metrics.
        splits: Splits of the inception score.
        metrics: Names of ``slimgan_pl.evaluation.metrics``: ``fid``; ``kid``; ``is``; ``prdc``: precision, recall,
            density and coverage; ``mic``: consistency and class agreement between widths. KID and PRDC keep every
            feature, in half precision where two sets take more than 512 MiB.
        batch_size: Images that pass the extractor at once, per process.
        seed: Seed of the latents and labels.
        seeds: Number of seeds, counted up from ``seed``, whose metrics are averaged.

    Raises:
        SlimGANError: If a setting is out of range.
    """

    def __init__(
        self,
        extractor: nn.Module | str | None = "inception",
        weights_path: str | None = None,
        classifier: nn.Module | str | None = None,
        protocol: ProtocolName = "test",
        real_split: Literal["train", "test"] | None = None,
        num_real: int | None = None,
        num_fake: int | None = None,
        num_score: int | None = None,
        splits: int | None = None,
        metrics: Sequence[MetricName] = tuple(METRICS),
        batch_size: int = 100,
        seed: int = 0,
        seeds: int = 1,
    ) -> None:
        self.protocol = make_protocol(
            protocol, real_split=real_split, num_real=num_real, num_fake=num_fake, num_score=num_score, splits=splits
        )
        if extractor is None:
            raise SlimGANError(
                "the checkpoint does not say which extractor it was evaluated with, as a module given from Python "
                "has no plain form; name one with --model.evaluator.extractor"
            )
        for name in filter(lambda net: isinstance(net, str), (extractor, classifier)):
            check_name(str(name))
        if weights_path is not None and not isinstance(extractor, str):
            raise SlimGANError("weights_path belongs to an extractor given by name; give a module its weights itself")
        if not metrics:
            raise SlimGANError("the evaluator's metrics are empty; name some, or set --model.evaluator null")
        for metric in metrics:
            check_choice("a metric", metric, tuple(METRICS))
        check_range("the evaluator's batch_size", batch_size, 1)
        check_range("the evaluator's seeds", seeds, 1, MAX_SEEDS)
        check_range("the evaluator's seed", seed, 0, MAX_SEED - MAX_SEEDS)
        self.extractor, self.weights_path, self.classifier = extractor, weights_path, classifier
        self.metrics = tuple(metrics)
        self.batch_size, self.seed, self.seeds = batch_size, seed, seeds
        self._extraction: Extraction | None = None
        self._real: tuple[dict[str, Any], RealSide] | None = None  # with its key

    def start(self, device: torch.device, shape: tuple[int, int, int]) -> Extraction:
        """Load the extractor and try it on images ``(C, H, W)``, once."""
        if isinstance(self.extractor, str):
            self.extractor = make_extractor(self.extractor, self.weights_path)
        if isinstance(self.classifier, str):
            self.classifier = make_extractor(self.classifier)
        if self._extraction is None or (self._extraction.device, self._extraction.shape) != (device, shape):
            self._extraction = Extraction(self.extractor, self.classifier, device, shape)
        return self._extraction

    def check(self, available: int, fakes: int | None = None) -> Counts:
        """Return the numbers of images that an evaluation uses.

        Args:
            available: Number of real images.
            fakes: Number of fakes; None: any number can be generated.

        Raises:
            SlimGANError: If there are too few, or nothing can be computed.
        """
        if fakes is not None and self.seeds > 1:
            raise SlimGANError("images have no latents; leave --seeds out, or seeds at 1")
        has_logits = self._extraction is None or self._extraction.num_classes is not None
        needs_logits = ["logits" in METRICS[name].needs for name in self.metrics]
        if all(needs_logits) and not has_logits:
            raise SlimGANError(
                f"{extractor_name(self.extractor)} gives no class logits, which the inception score needs; name a "
                "--model.evaluator.classifier, or ask for other metrics"
            )
        return self.protocol.counts(available, fakes, any(needs_logits) and has_logits)

    @torch.inference_mode()
    def evaluate(
        self, fakes: SlimmableGenerator | FakeSource, real: ByteArray, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Return the metrics of every width and their provenance.

        They have the form of ``results.json``: keys of metrics end in the name of the net that they come from, unless
        it is Inception.

        Raises:
            SlimGANError: If there are not enough images for the protocol, or they or their features are not finite.
        """
        began = time.perf_counter()
        source = GeneratorSource(fakes) if isinstance(fakes, SlimmableGenerator) else fakes
        extraction = self.start(source.device, source.shape)
        counts = self.check(len(real.images), source.available)
        metrics = [metric for name, metric in METRICS.items() if name in self.metrics]
        progress = progress or (lambda batches, _: batches)
        session = Session(extraction, counts, self.protocol.splits, metrics, self.batch_size, progress)
        seeds = list(range(self.seed, self.seed + self.seeds))
        provenance = self._provenance(session, real, seeds, source.label_sampling)
        truth = self._real_side(session, real, provenance)
        evaluated = [with_extractor(session.evaluate(source, truth, seed), provenance) for seed in seeds]
        for sentence in source.warnings() if rank_and_world()[0] == 0 else ():
            warnings.warn(sentence, SlimGANWarning, stacklevel=2)
        alone = [metric for metric in metrics if metric.is_alone]
        real_values = compute_metrics(truth.statistics, truth, alone, extraction.device)
        return {
            **over_seeds(source.heads, evaluated),
            "real": with_extractor(real_values, provenance),
            **source.provenance,
            **provenance,
            "seconds": round(time.perf_counter() - began, 1),
        }

    def judge(self, fakes: SlimmableGenerator | FakeSource, real: ByteArray) -> dict[str, Any]:
        """Call ``evaluate``; deprecated."""
        warnings.warn("Evaluator.judge is now Evaluator.evaluate", DeprecationWarning, stacklevel=2)
        return self.evaluate(fakes, real)

    def _provenance(self, session: Session, real: ByteArray, seeds: list[int], labels: str | None) -> dict[str, Any]:
        counts, extraction = session.counts, session.extraction
        return {
            "protocol": {
                "name": self.protocol.name,
                "data": real.folder.name if real.folder else None,
                "real_split": self.protocol.real_split,
                "num_real": counts.real,
                "num_fake": counts.fake,
                "num_score": counts.score,
                "splits": self.protocol.splits,
                "seeds": seeds,
                "labels": labels,
                "choice_seed": CHOICE_SEED,
                "shuffle_seed": SHUFFLE_SEED,
                "kid_subsets": [KID_SUBSETS, min(KID_SUBSET_SIZE, counts.real, counts.fake)],
                "kept": session.kept and str(session.kept).removeprefix("torch."),
                "neighbours": [FIDELITY_NEIGHBOURS, COVERAGE_NEIGHBOURS],
            },
            "extractor": extraction.provenance,
            "classifier": extraction.classifier_provenance,
            "device": device_name(extraction.device),
            "processes": rank_and_world()[1],
            "versions": versions(),
        }

    def _real_side(self, session: Session, real: ByteArray, provenance: dict[str, Any]) -> RealSide:
        """Return the real images' statistics, from memory or the cache if possible."""
        name = real.folder.name if real.folder else array_sha256(real.images)
        extraction = session.extraction
        key = {
            "images": name,
            "count": session.counts.real,
            "choice_seed": CHOICE_SEED,
            "extractor": provenance["extractor"],
            "classifier": provenance["classifier"],
            "splits": self.protocol.splits,
            "metrics": sorted(metric.name for metric in session.metrics if metric.needs),
            "kept": str(session.kept),
        }
        if self._real is None or self._real[0] != key:
            label = f"{name}-{extraction.name}"
            cache = real.folder and StatisticsCache(real.folder.parent, label, key, extraction.probe)
            statistics = cache.load() if cache else None
            if not all(gather_objects(statistics is not None)) or statistics is None:
                statistics = session.collect_real(real)
                if cache and rank_and_world()[0] == 0:
                    cache.save(statistics)
            self._real = key, RealSide(statistics)
        return self._real[1]


def with_extractor(values: dict[str, Any], provenance: dict[str, Any]) -> dict[str, Any]:
    """Add the names of nets to the keys of metrics."""
    rows = {"widths": [with_extractor(row, provenance) for row in values["widths"]]} if "widths" in values else {}
    return rows | {metric_key(name, provenance): value for name, value in values.items() if name != "widths"}
