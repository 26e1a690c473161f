"""Throughput of training."""

import time
from collections import deque

__all__ = ["Throughput"]

WINDOW = 100  # iterations in the mean


class Throughput:
    """Meter of the last 100 iterations, without evaluations.

    The first iteration after each start is not in the mean: kernels are chosen and programs compiled in it.
    """

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget all iterations."""
        self.seconds = 0.0  # duration of the last iteration
        self._recent: deque[float] = deque(maxlen=WINDOW)  # seconds of each iteration
        self._images = 0  # real images in an iteration, on all processes
        self._mark: float | None = None
        self._is_first = True

    def pause(self) -> None:
        """Stop the clock until the next iteration begins."""
        self._mark = None

    def begin_iteration(self) -> None:
        """Start the clock, unless it still runs."""
        if self._mark is None:
            self._mark = time.perf_counter()

    def end_iteration(self, images: int) -> None:
        """Add an iteration with this number of real images on all processes."""
        now = time.perf_counter()
        self.seconds = now - (self._mark or now)
        if not self._is_first:
            self._recent.append(self.seconds)
        self._mark, self._is_first, self._images = now, False, images

    def rates(self, iteration: int, total: float, per_epoch: float) -> dict[str, float]:
        """Return ``iterations_per_second``, ``images_per_second`` of real images, ``seconds_left``, ``epochs``.

        Unknown values are left out. ``total`` and ``per_epoch`` are iterations, and may be infinite.
        """
        rates: dict[str, float] = {}
        if self._recent:
            rate = len(self._recent) / sum(self._recent)
            rates = {"iterations_per_second": rate, "images_per_second": rate * self._images}
            if total != float("inf"):
                rates["seconds_left"] = max(0, total - iteration) / rate
        if per_epoch != float("inf"):
            rates["epochs"] = iteration / per_epoch
        return rates
