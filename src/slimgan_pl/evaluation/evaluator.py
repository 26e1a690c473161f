"""Judging every width of a generator against real images."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from slimgan_pl.errors import UserError
from slimgan_pl.evaluation.extractors import InceptionExtractor
from slimgan_pl.evaluation.metrics import (
    ClassAgreement,
    FeatureStatistics,
    InceptionConsistency,
    SplitScore,
    frechet_distance,
)
from slimgan_pl.images import to_bytes
from slimgan_pl.models import SlimmableGenerator, count_macs, count_parameters
from slimgan_pl.recorded import Recorded

__all__ = ["Evaluator"]


class Evaluator(Recorded):
    """Fréchet distance and inception score of each width, and the consistency between widths.

    One fixed set of latents (and labels) serves all widths: it makes them comparable and lowers the noise of their
    differences. Each image passes the extractor once. Several processes share the work and add up their sums.

    Args:
        extractor: Module that maps uint8 images ``(N, 3, H, W)`` to features ``(N, F)``, or to features and class
            logits. By default Inception, loaded when it is first needed.
        classifier: Module that maps such images to class logits ``(N, K)``, alone or in a pair as above, for the score
            of an extractor without any.
        num_images: Fakes per width; by default as many as there are real images.
        splits: Splits of the inception score.
        batch_size: Images that pass the extractor at once, per process.
        seed: Seed of the latents and labels.
    """

    def __init__(
        self,
        extractor: nn.Module | None = None,
        classifier: nn.Module | None = None,
        num_images: int | None = None,
        splits: int = 10,
        batch_size: int = 100,
        seed: int = 0,
    ) -> None:
        if num_images is not None and num_images < 2:
            raise UserError(f"the evaluator's num_images is {num_images}; a distance needs at least 2 images")
        if min(splits, batch_size) < 1:
            raise UserError("the evaluator's splits and batch_size have to be at least 1")
        self.extractor = extractor
        self.classifier = classifier
        self.num_images = num_images
        self.splits = splits
        self.batch_size = batch_size
        self.seed = seed

    @property
    def suffix(self) -> str:
        """What stands behind the name of a figure: nothing for Inception, else the extractor's name."""
        name = extractor_name(self.extractor)
        return "" if name == "inception" else f"_{name}"

    @torch.inference_mode()
    def start(self, generator: SlimmableGenerator) -> None:
        """Begin an evaluation: load the extractor, put it where the generator is, and forget earlier real images."""
        if self.extractor is None:
            self.extractor = InceptionExtractor()
        self._device = generator.image.weight.device
        self._sums_device = device_of_sums(self._device)
        for net in filter(None, (self.extractor, self.classifier)):
            net.to(self._device).eval()
        shape = (2, generator.image_channels, generator.image_size, generator.image_size)
        features, logits = self._extract(torch.zeros(shape, device=self._device))
        self._num_features, self._num_classes = features.shape[1], None if logits is None else logits.shape[1]
        self._real, self._real_score = self._statistics(), self._score()
        self._num_real = 0

    @torch.inference_mode()
    def add_real(self, images: Tensor) -> None:
        """Add real images ``(N, C, H, W)`` in [-1, 1]."""
        rank, world = _rank_and_world()
        numbers = (self._num_real + torch.arange(len(images))) * world + rank
        self._num_real += len(images)
        features, logits = self._extract(images)
        self._real.update(features)
        if logits is not None:
            self._real_score.update(logits, numbers)

    @torch.inference_mode()
    def judge(self, generator: SlimmableGenerator) -> dict[str, Any]:
        """Return the figures of every width against the real images added since ``start``, as plain values.

        The generator has to be in evaluation mode. Keys of figures end in the extractor's name unless it is Inception.

        Raises:
            UserError: If there are fewer than two real images.
        """
        real = self._real.compute()
        if real.num_samples < 2:
            raise UserError(f"there are {real.num_samples} real images to judge against; a distance needs at least 2")
        num_images = self.num_images or real.num_samples
        widths = [(self._statistics(), self._score()) for _ in generator.widths]
        consistency = InceptionConsistency(len(generator.widths)).to(self._sums_device)
        agreement = ClassAgreement().to(self._sums_device)
        for numbers, latents, labels in self._latents(generator, num_images):
            outputs = [self._extract(generator(latents, labels, width=width)) for width in generator.widths]
            for (statistics, score), (features, logits) in zip(widths, outputs, strict=True):
                statistics.update(features)
                if logits is not None:
                    score.update(logits, numbers)
            consistency.update(torch.stack([features for features, _ in outputs]))
            if self._num_classes is not None:
                agreement.update(torch.stack([logits for _, logits in outputs if logits is not None]))
        return {
            "extractor": extractor_name(self.extractor),
            "num_real": real.num_samples,
            "num_fake": num_images,
            "splits": self.splits,
            "seed": self.seed,
            "widths": [
                {
                    "width": width,
                    "parameters": count_parameters(generator, width),
                    "macs": count_macs(generator, width),
                    f"fid{self.suffix}": frechet_distance(real, statistics.compute()),
                    **self._score_figures(score),
                }
                for width, (statistics, score) in zip(generator.widths, widths, strict=True)
            ],
            "real": self._score_figures(self._real_score),
            **self._figures_between_widths(consistency, agreement),
        }

    def _latents(
        self, generator: SlimmableGenerator, num_images: int
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield numbers, latents and labels of this process's share of the fixed set, a batch at a time."""
        source = torch.Generator().manual_seed(self.seed)
        latents = torch.randn(num_images, generator.latent_dim, generator=source)
        labels = torch.randint(max(generator.num_classes, 1), (num_images,), generator=source)
        rank, world = _rank_and_world()
        for numbers in torch.arange(rank, num_images, world).split(self.batch_size):
            batch_labels = labels[numbers].to(self._device) if generator.num_classes else None
            yield numbers, latents[numbers].to(self._device), batch_labels

    def _extract(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Turn images in [-1, 1] into features and, where something gives them, logits."""
        assert self.extractor is not None
        pixels = to_bytes(images)
        if pixels.shape[1] == 1:
            pixels = pixels.expand(-1, 3, -1, -1)
        with torch.autocast(self._device.type, enabled=False):  # real images come from inside Lightning's autocast
            output = self.extractor(pixels)
            features, logits = output if isinstance(output, tuple) else (output, None)
            if self.classifier is not None:
                output = self.classifier(pixels)
                logits = output[1] if isinstance(output, tuple) else output
        if features.ndim != 2 or len(features) != len(pixels):
            raise UserError(
                f"the extractor {extractor_name(self.extractor)} returned shape {tuple(features.shape)} for "
                f"{len(pixels)} images; it has to return features (N, F), or a pair of features and logits (N, K)"
            )
        return features, logits

    def _statistics(self) -> FeatureStatistics:
        return FeatureStatistics(self._num_features).to(self._sums_device)

    def _score(self) -> SplitScore:
        return SplitScore(self._num_classes or 1, self.splits).to(self._sums_device)

    def _score_figures(self, score: SplitScore) -> dict[str, float]:
        if self._num_classes is None:
            return {}
        mean, deviation = score.compute()
        return {f"is{self.suffix}": float(mean), f"is_std{self.suffix}": float(deviation)}

    def _figures_between_widths(self, consistency: InceptionConsistency, agreement: ClassAgreement) -> dict[str, Any]:
        if len(consistency.total) == 1:
            return {}
        mean, matrix = consistency.compute()
        figures = {f"mic{self.suffix}": float(mean), f"consistency{self.suffix}": matrix.tolist()}
        if self._num_classes is not None:
            figures[f"agreement{self.suffix}"] = float(agreement.compute())
        return figures


def extractor_name(extractor: nn.Module | None) -> str:
    """Return an extractor's ``name``, or its class's; None stands for Inception."""
    if extractor is None:
        return InceptionExtractor.name
    return str(getattr(extractor, "name", type(extractor).__name__))


def device_of_sums(device: torch.device) -> torch.device:
    """Return where float64 sums are kept: on the device itself, or on the CPU for one that has no float64."""
    return torch.device("cpu") if device.type == "mps" else device


def _rank_and_world() -> tuple[int, int]:
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1
