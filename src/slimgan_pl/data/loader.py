"""Loaders that gather batches by index, without workers or per-image Python."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from slimgan_pl.data.byte_array import ByteArray

__all__ = ["ByteLoader", "WholeSplit", "epoch_flips", "epoch_order"]


def epoch_order(count: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order of an epoch's images, reproducible for exact resuming."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def epoch_flips(count: int, seed: int, epoch: int) -> npt.NDArray[np.bool_]:
    """Return which images of an epoch are flipped: about half."""
    return np.random.default_rng([seed, epoch, 1]).random(count) < 0.5


class ByteLoader:
    """Loader of one process's batches ``(images, labels)``.

    Images are uint8 ``(B, C, H, W)``, labels int64 ``(B,)`` or None. All batches are full, and every process has the
    same number.

    Args:
        array: The images.
        batch_size: Images in a batch.
        seed: Seed of the order of each epoch.
        position: Returns the number of batches taken in all epochs so far, after which iteration continues.
        rank: This process's number.
        world: Number of processes. No image of an epoch goes to two of them.
        pin_memory: Whether batches are in pinned memory, from which a GPU copies without blocking.
        flip: Whether half of the images, others in each epoch, are flipped left to right.
    """

    def __init__(
        self,
        array: ByteArray,
        batch_size: int,
        seed: int = 0,
        position: Callable[[], int] = lambda: 0,
        rank: int = 0,
        world: int = 1,
        pin_memory: bool = False,
        flip: bool = False,
    ) -> None:
        self.array, self.batch_size, self.seed = array, batch_size, seed
        self.position, self.rank, self.world = position, rank, world
        self.pin_memory, self.flip = pin_memory, flip

    def __len__(self) -> int:
        return len(self.array.images) // self.world // self.batch_size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        epoch, first = divmod(self.position(), max(len(self), 1))
        count = len(self.array.images)
        share = epoch_order(count, self.seed, epoch)[self.rank :: self.world]
        flips = epoch_flips(count, self.seed, epoch) if self.flip else None
        for number in range(first, len(self)):
            indices = share[number * self.batch_size : (number + 1) * self.batch_size]
            images, labels = self._gather(indices)
            if flips is not None:
                flipped = torch.from_numpy(flips[indices])
                images[flipped] = images[flipped].flip(3)
            yield images, labels

    def _gather(self, indices: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor | None]:
        shape = (len(indices), *self.array.images.shape[1:])
        images = torch.empty(shape, dtype=torch.uint8, pin_memory=self.pin_memory)
        np.take(self.array.images, indices, axis=0, out=images.numpy(), mode="clip")  # "raise" would copy twice
        labels = None if self.array.labels is None else torch.from_numpy(self.array.labels[indices])
        return images, labels.pin_memory() if labels is not None and self.pin_memory else labels


class WholeSplit:
    """Loader of a whole split as a single batch, for evaluation."""

    def __init__(self, array: ByteArray) -> None:
        self.array = array

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[ByteArray]:
        yield self.array
