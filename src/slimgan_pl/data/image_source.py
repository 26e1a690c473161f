"""Images of a data set by number, and reading them all.

Shape legend: N images, C channels, H = W pixels a side.
"""

import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from slimgan_pl.data.broken_images import BrokenImageError
from slimgan_pl.data.value_range import SeenValues

__all__ = ["ImageSource", "read_in_order", "read_or_error"]

CHUNK = 4  # images that a thread reads at once; an interrupt waits for them
MAX_AHEAD = 8  # chunks per thread that wait to be written


class ImageSource(ABC):
    """Images and labels of one split of a data set."""

    labels: npt.NDArray[np.int64] | None = None
    skip_broken: bool = False  # whether images that cannot be used are left out
    seen: SeenValues | None = None  # values of the images that were read, kept beside the array

    @property
    def repairs(self) -> dict[str, str]:
        """Fixes where images cannot be used, as of a SlimGANError."""
        return {"": "repair or replace broken images"}

    @property
    @abstractmethod
    def key(self) -> dict[str, Any]:
        """Plain values that the bytes depend on: source, split, size, transform."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of images."""

    @abstractmethod
    def read(self, index: int) -> npt.NDArray[np.uint8]:
        """Return one image ``(C, H, W)``; several threads call this.

        Raises:
            BrokenImageError: If it cannot be used; the others are still read.
        """

    def check(self) -> None:
        """Look at what reading all images has shown.

        Raises:
            SlimGANError: If the images cannot be used together.
        """


def read_in_order(source: ImageSource) -> Generator[npt.NDArray[np.uint8] | BrokenImageError, None, None]:
    """Yield all images or their errors; one thread per core reads ahead."""

    def read(start: int) -> list[npt.NDArray[np.uint8] | BrokenImageError]:
        return [read_or_error(source, index) for index in range(start, min(start + CHUNK, len(source)))]

    ahead: deque[Future[list[npt.NDArray[np.uint8] | BrokenImageError]]] = deque()
    threads = os.cpu_count() or 1  # more threads would wait for each other
    with ThreadPoolExecutor(threads) as pool:
        try:
            for start in range(0, len(source), CHUNK):
                ahead.append(pool.submit(read, start))
                if len(ahead) == MAX_AHEAD * threads:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def read_or_error(source: ImageSource, index: int) -> npt.NDArray[np.uint8] | BrokenImageError:
    """Return an image, or why it cannot be used."""
    try:
        return source.read(index)
    except BrokenImageError as error:
        return error
