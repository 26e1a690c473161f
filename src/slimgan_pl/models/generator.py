"""Slimmable generators: one set of weights, several widths (Hou et al. 2021).

Shape legend: N images, C channels, H = W = image_size.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError, check_range
from slimgan_pl.layers import check_widths, copy_slice, run_stage, scale_channels, width_index
from slimgan_pl.layers.widths import check_labels
from slimgan_pl.models.classes import Classes
from slimgan_pl.utils.recipes import Recorded

__all__ = ["WIDTHS", "Inputs", "SlimmableGenerator"]

Result = TypeVar("Result")

WIDTHS = (0.25, 0.5, 0.75, 1.0)  # the paper's

BLOCK = 16  # numbers that torch.randn makes at once on a CPU


class Inputs(NamedTuple):
    """Inputs of a generator: latents ``(N, latent_dim)``, and labels ``(N,)`` or None."""

    latents: Tensor
    labels: Tensor | None = None


class SlimmableGenerator(Recorded, nn.Module, ABC):
    """Base of all generators.

    A family builds its layers in ``__init__`` and computes images in ``synthesize``. Its layers use the first channels
    of their weights at a narrow width (``slimgan_pl.layers``), and a ``PerWidth`` list holds what each width has for
    itself. If the constructor has no arguments ``channels`` and ``widths``, the family overrides ``arguments_at``. One
    whose images have random numbers beside their latents sets ``takes_noise`` and overrides ``draw_noise``, and its
    ``synthesize`` takes them as ``noise``.

    Args:
        channels: Channels of each stage at width 1.0.
        widths: Ascending shares of the channels, the last 1.0.
        latent_dim: Numbers in a latent, from N(0, 1).
        image_size: Side of the images in pixels.
        image_channels: Channels of the images, never sliced.
        num_classes: Classes of a conditional generator; 0 for an unconditional one.

    Attributes:
        recomputed_stages: How many of the last stages are computed again in the backward pass, for less memory; a
            family without batch norms passes its stages to ``run_stage``.
        fixed_bottom: Side in pixels of the first stage, which each further one doubles, where it cannot be chosen.
        takes_noise: True if ``draw_noise`` returns noise that ``synthesize`` takes.

    Raises:
        SlimGANError: If a width does not divide the channels of a stage exactly, or a number is out of range.
    """

    recomputed_stages = 0
    fixed_bottom: int | None = None
    takes_noise = False

    def __init__(
        self,
        channels: Sequence[int],
        widths: Sequence[float],
        latent_dim: int,
        image_size: int,
        image_channels: int,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.widths = check_widths(widths)
        self.latent_dim = latent_dim
        self.image_size = image_size
        self.image_channels = image_channels
        self.num_classes = num_classes
        self._classes = Classes.numbered(num_classes)
        if not self.channels:
            raise SlimGANError("channels is empty; give one number per stage, for example [512, 256, 128, 64]")
        for name in ("latent_dim", "image_size", "image_channels"):
            check_range(f"the generator's {name}", getattr(self, name), 1)
        check_range("the generator's num_classes", num_classes, 0)
        for width in self.widths:
            self.channels_at(width)

    @abstractmethod
    def synthesize(self, latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        """Return images ``(N, C, H, W)`` from checked inputs, in evaluation mode in [-1, 1].

        The width is an entry of ``widths``.
        """

    def forward(
        self, latents: Tensor, labels: Tensor | None = None, *, width: float = 1.0, noise: Any = None
    ) -> Tensor:
        """Generate images.

        Args:
            latents: Shape ``(N, latent_dim)``, standard normal.
            labels: Integers of shape ``(N,)`` in ``[0, num_classes)``, for a conditional generator only.
            width: One of ``widths``.
            noise: What ``draw_noise(N)`` returns; without it, images depend on latents and labels alone.

        Returns:
            Images ``(N, image_channels, image_size, image_size)`` in [-1, 1]; in training mode those of nets without
            tanh are not bounded.

        Raises:
            SlimGANError: If the width is not in the list, or labels are missing or not expected.
        """
        width = self.widths[width_index(self.widths, width)]
        check_labels(labels, self.num_classes, "generator")
        if noise is not None and not self.takes_noise:
            raise SlimGANError(f"a {type(self).__name__} takes no noise; leave it out")
        more = {} if noise is None else {"noise": noise}
        return self.synthesize(latents, labels, width, **more)

    def run_stage(self, number: int, stage: Callable[..., Result], *inputs: object) -> Result:
        """Run the stage of a number; one of ``recomputed_stages`` keeps no activations."""
        return run_stage(stage, *inputs, recompute=number >= len(self.channels) - self.recomputed_stages)

    def channels_at(self, width: float) -> tuple[int, ...]:
        """Return the channels of each stage at a width."""
        return tuple(
            scale_channels(channels, width, f"{type(self).__name__} stage {stage}")
            for stage, channels in enumerate(self.channels)
        )

    def arguments_at(self, width: float) -> dict[str, Any]:
        """Return the constructor's arguments for the channels of one width alone."""
        width = self.widths[width_index(self.widths, width)]
        return {**self.arguments, "channels": self.channels_at(width), "widths": (1.0,)}

    def slice(self, width: float) -> Self:
        """Return a generator of one width's weights alone, with the same images.

        It has the same class, mode, device and precision, the narrower schedule, and ``widths == (1.0,)``. A weight
        requires a gradient where the wide net's does.
        """
        with torch.random.fork_rng(devices=[]):  # the initial weights are replaced
            narrow = type(self)(**self.arguments_at(width)).to(self.device, self.dtype)
        copy_slice(self, narrow, width_index(self.widths, width))
        narrow.classes = self.classes
        return narrow.train(self.training)

    def individual(self, width: float) -> Self:
        """Return a newly initialised plain generator with the channels of one width."""
        plain = type(self)(**self.arguments_at(width))
        plain.classes = self.classes
        return plain

    def truncated(self, truncation: float) -> Self:
        """Return a copy whose styles lie nearer to their mean: less varied images of fewer faults.

        Args:
            truncation: Share of a style's distance from the mean that stays, 0 to 1.

        Raises:
            SlimGANError: If the family has no styles, or the share is out of range.
        """
        raise SlimGANError(f"a {type(self).__name__} has no styles; leave the truncation out")

    @property
    def classes(self) -> Classes:
        """Names and frequencies of the classes; they are no weights.

        By default classes have numbers for names, and labels are uniform.

        Raises:
            SlimGANError: If a value is assigned that has another number of classes.
        """
        return self._classes

    @classes.setter
    def classes(self, classes: Classes) -> None:
        if len(classes.names) != self.num_classes:
            raise SlimGANError(
                f"there are {len(classes.names)} names of classes but the generator has num_classes "
                f"{self.num_classes}; give one each"
            )
        self._classes = classes

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""
        return next(self.parameters()).dtype

    def draw_noise(self, count: int, source: torch.Generator | None = None) -> Any:
        """Sample the random numbers of ``count`` images in training beside their latents.

        They are nested tensors whose first dimension counts images, or None, as by default.
        """
        return None

    def draw_inputs(self, count: int, source: torch.Generator | None = None, labels: Tensor | None = None) -> Inputs:
        """Sample standard normal latents and, with classes, labels by their frequencies.

        Of a source on the CPU, latent and label number ``n`` depend on ``n`` alone, not on the count. Both are on this
        net's device.

        Args:
            count: Number of latents N.
            source: Source of randomness, on any device; the same state gives the same inputs in each precision.
            labels: Integers ``(N,)`` that replace the sampled labels; the latents stay the same.
        """
        device = "cpu" if source is None else source.device
        columns = self.latent_dim + (self.num_classes > 0)  # the last chooses the class
        # NOTE: on a CPU, torch.randn gives a row the same numbers whatever the count only if rows are whole blocks.
        whole = -(-columns // BLOCK) * BLOCK
        normals = torch.randn(count, whole, generator=source, device=device, dtype=torch.float32)
        if labels is None and self.num_classes:
            labels = self.classes.labels_of(normals[:, self.latent_dim].contiguous())
        latents = normals[:, : self.latent_dim].to(self.device, self.dtype).contiguous()
        return Inputs(latents, None if labels is None else labels.to(self.device))
