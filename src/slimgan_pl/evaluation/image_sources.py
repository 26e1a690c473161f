"""Sources of the images to evaluate: a generator, or a folder."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from slimgan_pl.data.broken_images import BrokenImageError, BrokenImagesError
from slimgan_pl.data.image_files import open_image
from slimgan_pl.data.transform import as_bytes, convert_mode
from slimgan_pl.data.value_range import EIGHT_BITS, SeenValues, ValueRange
from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.protocols import Counts, shuffled
from slimgan_pl.models import SlimmableGenerator, count_macs, count_parameters
from slimgan_pl.utils.images import to_bytes
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["FakeSource", "FolderSource", "GeneratorSource"]


class FakeSource(ABC):
    """Numbered images to evaluate, a set for each width.

    Images of one number belong together: a generator makes them of the same latent.
    """

    device: torch.device
    shape: tuple[int, int, int]  # (C, H, W)
    heads: list[dict[str, Any]]  # first entries of the row of each set
    available: int | None = None  # images of each set; None: any number can be generated

    @abstractmethod
    def start(self, counts: Counts, seed: int) -> None:
        """Prepare images ``0 ... max(counts.fake, counts.score) - 1``."""

    @abstractmethod
    def draw(self, numbers: Tensor) -> list[Tensor]:
        """Return each set's images of these numbers: uint8 ``(N, C, H, W)``."""

    @property
    def provenance(self) -> dict[str, Any]:
        """Entries of the results about these images, as plain values."""
        return {}

    @property
    def label_sampling(self) -> str | None:
        """Sampling of the labels: ``data``, ``uniform``, or None without labels."""
        return None

    def warnings(self) -> list[str]:
        """Return sentences about the images, once they have been drawn."""
        return []

    def names(self) -> list[str]:
        """Return the name of each set, for messages."""
        return [f"the fakes at width {head['width']:g}" for head in self.heads]


class GeneratorSource(FakeSource):
    """Images of a generator at each width, from one set of latents."""

    def __init__(self, generator: SlimmableGenerator) -> None:
        self.generator = generator
        self.device = generator.device
        self.shape = (generator.image_channels, generator.image_size, generator.image_size)

    @cached_property
    def heads(self) -> list[dict[str, Any]]:  # type: ignore[override]
        net = self.generator
        return [
            {"width": width, "parameters": count_parameters(net, width), "macs": count_macs(net, width)}
            for width in net.widths
        ]

    @property
    def label_sampling(self) -> str | None:
        return self.generator.classes.sampling

    def start(self, counts: Counts, seed: int) -> None:
        count = max(counts.fake, counts.score)
        self.latents, self.labels = self.generator.draw_inputs(count, torch.Generator().manual_seed(seed))

    def draw(self, numbers: Tensor) -> list[Tensor]:
        latents, labels = self.latents[numbers], None if self.labels is None else self.labels[numbers]
        with evaluating(self.generator):
            sets = [self.generator(latents, labels, width=width) for width in self.generator.widths]
        for images, name in zip(sets, self.names(), strict=True):
            if not images.isfinite().all():
                raise SlimGANError(f"{name} are not finite; evaluate an earlier checkpoint")
        return [to_bytes(images) for images in sets]


class FolderSource(FakeSource):
    """Image files, evaluated as they are: nothing is cut or resized.

    Where there are more than the protocol asks for, a fixed random choice of them is taken.

    Args:
        root: The folder, for messages.
        paths: The files.
        shape: ``(C, H, W)`` that they have to have.
        device: Where the extractor runs.
        value_range: Values of more than 8 bits that become black and white; by default what the files tell.
    """

    def __init__(
        self,
        root: Path,
        paths: Sequence[Path],
        shape: tuple[int, int, int],
        device: torch.device,
        value_range: ValueRange | None = None,
    ) -> None:
        self.root, self.paths, self.shape, self.device = root, paths, shape, device
        self.value_range = value_range
        self.seen = SeenValues()
        self.heads = [{"width": None}]
        self.available = len(paths)

    def start(self, counts: Counts, seed: int) -> None:
        if counts.fake == counts.score == len(self.paths):
            self.chosen = np.arange(len(self.paths))
        else:  # not in the order of the files: the first of them stand for all in the distances
            self.chosen = shuffled(len(self.paths))

    def draw(self, numbers: Tensor) -> list[Tensor]:
        with ThreadPoolExecutor() as pool:
            try:
                images = list(pool.map(self.read, self.chosen[numbers.numpy()]))
            except BrokenImageError as error:
                broken = [each for each in pool.map(self.find_fault, range(len(self.paths))) if each is not None]
                raise BrokenImagesError(broken or [error], len(self.paths), error.fixes) from error
        return [torch.from_numpy(np.stack(images))]

    def read(self, index: int) -> Any:
        """Return an image ``(C, H, W)``.

        Raises:
            SlimGANError: If it cannot be read, or has another size than the real images.
        """
        channels, height, width = self.shape
        with open_image(self.paths[index]) as image:
            pixels = self.seen.convert(image, lambda opened: as_bytes(convert_mode(opened, channels, self.value_range)))
        if pixels.shape != self.shape:
            raise SlimGANError(
                f"{self.paths[index]} is {pixels.shape[2]}x{pixels.shape[1]} pixels but the real images are "
                f"{width}x{height}; resize one or the other, for example with --data.image_size {pixels.shape[1]}"
            )
        return pixels

    def find_fault(self, index: int) -> BrokenImageError | None:
        """Return why an image cannot be used, or None."""
        try:
            self.read(index)
        except BrokenImageError as error:
            return error
        return None

    def warnings(self) -> list[str]:
        has_more_bits = self.seen.kinds.keys() - {EIGHT_BITS}
        return self.seen.warnings(self.value_range if has_more_bits else None)

    @property
    def provenance(self) -> dict[str, Any]:
        return {"images": str(self.root), "available": self.available}

    def names(self) -> list[str]:
        return [f"the images in {self.root}"]
