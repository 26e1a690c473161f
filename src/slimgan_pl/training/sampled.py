"""Samples of a trained module, and the weights that generate them."""

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from slimgan_pl.models import Classes, SlimmableGenerator, recalibrate
from slimgan_pl.models.classes import LabelSampling
from slimgan_pl.models.recalibration import has_statistics
from slimgan_pl.models.sampling import sample_images
from slimgan_pl.utils.weights import Weights

__all__ = ["AVERAGE_BATCHES", "SampledModule"]

AVERAGE_BATCHES = 32  # batches of latents that measure the batch-norm statistics of averaged weights


class SampledModule(LightningModule):
    """Base of the modules that generate images.

    Attributes:
        generator: The generator that is trained.
        averaged_generator: The averaged one, or None.
        weights: Which of them generates images; ``averaged`` if there is one, or ``raw``.
        classes: Classes of the training data; None until they are known.
        labels: How often fakes are of each class.
        individual: The only width, or None.
        recalibration: Batches of latents over which batch-norm statistics are measured anew; 0 keeps the running ones.
        has_moved: Whether the averaged weights have moved since their statistics were measured.
        truncation: Share of the styles' distance from their mean that ``truncate`` has left.
    """

    generator: SlimmableGenerator
    averaged_generator: SlimmableGenerator | None
    weights: Weights = "averaged"
    classes: Classes | None = None
    labels: LabelSampling
    individual: float | None
    recalibration: int
    has_moved: bool = False
    truncation: float = 1.0

    def forward(self, latents: Tensor, labels: Tensor | None = None, *, width: float = 1.0) -> Tensor:
        """Generate images ``(N, C, H, W)`` in [-1, 1].

        Latents are ``(N, latent_dim)``, labels integers ``(N,)`` for a net with classes.
        """
        images: Tensor = self.inference_generator(latents, labels, width=width)
        return images

    @property
    def inference_generator(self) -> SlimmableGenerator:
        """Generator of samples, evaluation and exports; averaged if possible.

        With ``weights = "raw"`` it is the one that is trained. The statistics of an averaged one fit its weights.
        """
        averaged = self.averaged_generator
        if averaged is None or self.skips_average:
            return self.generator
        self.settle_average()
        return averaged

    @property
    def skips_average(self) -> bool:
        """True if raw weights are used in place of averaged ones."""
        return self.averaged_generator is not None and self.weights == "raw"

    @property
    def used_weights(self) -> Weights:
        """Weights of ``inference_generator``."""
        return "raw" if self.averaged_generator is None else self.weights

    def truncate(self, truncation: float) -> None:
        """Truncate the styles of the weights that generate images, for inference alone; 1 changes nothing.

        Raises:
            SlimGANError: If the generator has no styles, or the share is out of range.
        """
        if truncation == 1:
            return
        net = self.inference_generator.truncated(truncation)
        if self.averaged_generator is None or self.skips_average:
            self.generator = net
        else:
            self.averaged_generator = net
        self.truncation *= truncation

    def set_classes(self, classes: Classes) -> None:
        """Take the classes of the training data, of which samples are."""
        self.classes = classes
        for net in filter(None, (self.generator, self.averaged_generator)):
            net.classes = classes.sampled(self.labels)

    def sample(
        self,
        num_images: int,
        width: float = 1.0,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Generate new images in evaluation mode; batch-norm statistics stay as they are.

        Args:
            num_images: Number of images.
            width: One of the generator's widths.
            labels: Integers ``(num_images,)``; sampled where they are needed and missing.
            generator: CPU source of randomness; the same state gives the same latents at every width.

        Returns:
            Images ``(num_images, C, H, W)`` in [-1, 1].
        """
        width = 1.0 if width == self.individual else width  # its only width, as tables and logs call it
        return sample_images(self.inference_generator, num_images, width, labels, generator)

    def settle_statistics(self) -> None:
        """Recalibrate batch-norm statistics: of averaged weights, and others where ``recalibration`` is set.

        They then depend on the weights alone, and not on when they were measured before.
        """
        if self.recalibration:
            recalibrate(self.generator, self.recalibration)
        self.settle_average()

    def settle_average(self) -> None:
        """Recalibrate the averaged generator if its weights have moved."""
        averaged = self.averaged_generator
        if averaged is not None and has_statistics(averaged) and self.has_moved:
            recalibrate(averaged, self.recalibration or AVERAGE_BATCHES)
            self.has_moved = False
