"""Inference with exported files."""

import os
import threading
import time

import numpy as np
import numpy.typing as npt

from slimgan_runtime.budget import WidthController
from slimgan_runtime.checking import check_count, check_labels, check_latents, check_path, check_time, check_width
from slimgan_runtime.errors import SlimGANError
from slimgan_runtime.exported import ExportedGenerator
from slimgan_runtime.latency import LatencyCache, measure

__all__ = ["Runtime"]

SHORTEST = 1e-9  # seconds that a call takes, whatever a coarse clock says
MAX_THREADS = 1024  # more than the cores of any machine, fewer than a system refuses to start


class Runtime:
    """A generator that ``slimgan export`` wrote as ONNX, without PyTorch.

    With a latency budget, calls that name no width have the widest that fits: the widths are measured on this device at
    the start, and every such call tells how fast the device is now. Several threads may call ``generate`` at once.

    Args:
        path: An exported ``.onnx`` file, or the folder of the export: of ``generator.onnx`` with all widths if it is
            there, else of one file per width.
        budget_ms: Milliseconds that a call of ``generate`` may take, whatever its batch; None always takes the
            widest width.
        threads: That ONNX Runtime computes a call with; None for all cores that this process may use.
        batch_size: Images of the calls that are measured at the start.

    Raises:
        SlimGANError: If a file is missing, damaged or of something else, or a setting makes no sense.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        budget_ms: float | None = None,
        threads: int | None = None,
        batch_size: int = 1,
    ) -> None:
        if budget_ms is not None:
            budget_ms = check_time("budget_ms", budget_ms, "milliseconds above 0, or None for no budget")
        threads = None if threads is None else check_count("threads", threads, high=MAX_THREADS)
        self.batch_size = check_count("batch_size", batch_size)
        self._exported = ExportedGenerator(check_path(path), threads)
        self._latencies_ms: dict[float, float] = {}
        self._controller: WidthController | None = None
        self._lock = threading.Lock()  # guards the controller alone: calls run side by side
        if budget_ms is not None:
            self._latencies_ms = self._load_or_measure(threads)
            seconds = {width: value / 1e3 for width, value in self._latencies_ms.items()}
            self._controller = WidthController(seconds, budget_ms / 1e3, self.batch_size)

    @property
    def widths(self) -> tuple[float, ...]:
        """Widths from narrow to wide, as shares of the generator's channels."""
        return self._exported.contract.widths

    @property
    def latent_dim(self) -> int:
        """Numbers of each latent."""
        return self._exported.contract.latent_dim

    @property
    def num_classes(self) -> int:
        """Classes of a conditional generator, or 0."""
        return self._exported.contract.num_classes

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes by their labels; empty without classes."""
        return self._exported.contract.classes

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width in pixels of an image, ``(C, H, W)``."""
        return self._exported.contract.image_shape

    @property
    def width(self) -> float:
        """Current width of a call with ``batch_size`` images and no ``width``."""
        return self._width_for(self.batch_size)

    @property
    def latencies_ms(self) -> dict[float, float]:
        """Milliseconds of a call at each width, measured at the start.

        A call has ``batch_size`` images. Empty without a budget.
        """
        return dict(self._latencies_ms)

    def generate(
        self, latents: npt.ArrayLike, labels: npt.ArrayLike | None = None, width: float | None = None
    ) -> np.ndarray:
        """Generate images.

        Args:
            latents: Floats ``(N, latent_dim)``, of which float32 is made.
            labels: Whole numbers ``(N,)`` from 0 to ``num_classes - 1``, or names of ``classes``; of a conditional
                generator alone.
            width: One of ``widths``; by default the widest, or the widest that fits into the latency budget now.

        Returns:
            float32 images ``(N, C, H, W)`` in [-1, 1].

        Raises:
            SlimGANError: If something that is given makes no sense, or so many images do not fit into memory.
        """
        start = time.perf_counter()
        checked_latents = check_latents(latents, self.latent_dim)
        count = len(checked_latents)
        checked_labels = check_labels(labels, self._exported.contract, count)
        chosen = self._width_for(count) if width is None else check_width(width, self.widths)
        images = self._exported.run(chosen, checked_latents, checked_labels)
        if width is None and self._controller is not None:
            with self._lock:
                self._controller.observe(chosen, count, max(time.perf_counter() - start, SHORTEST))
        return images

    def latents(self, count: int, seed: int | None = None) -> np.ndarray:
        """Return standard normal latents, float32 ``(count, latent_dim)``.

        The same seed gives the same ones; None gives new ones.

        Raises:
            SlimGANError: If the count is not a whole number above 0, or the seed not one of at least 0.
        """
        count = check_count("count", count)
        seed = None if seed is None else check_count("seed", seed, low=0)
        try:
            return np.random.default_rng(seed).standard_normal((count, self.latent_dim), np.float32)
        except (MemoryError, ValueError) as error:
            raise SlimGANError(f"{count:,} latents do not fit into memory; ask for fewer") from error

    def _width_for(self, count: int) -> float:
        if self._controller is None:
            return self.widths[-1]
        with self._lock:
            return self._controller.width_for(count)

    def _load_or_measure(self, threads: int | None) -> dict[float, float]:
        latents = self.latents(self.batch_size, seed=0)
        labels = np.arange(self.batch_size) % self.num_classes if self.num_classes else None
        cache = LatencyCache(self._exported.files, self.widths, threads, self.batch_size)
        latencies = cache.load()
        if latencies is None:
            latencies = measure(lambda width: self.generate(latents, labels, width), self.widths)
            cache.save(latencies)
        else:
            for width in self.widths:  # the first call of a width is slow: let it not be one of the user's
                self.generate(latents, labels, width)
        return latencies
