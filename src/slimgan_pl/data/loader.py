"""Batches gathered by index from an array of bytes: no workers, no per-image Python."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from slimgan_pl.data.byte_array import ByteArray

__all__ = ["ByteLoader", "EpochSampler"]


class EpochSampler:
    """One process's share of the images of an epoch, in an order that is a pure function of (seed, epoch).

    Args:
        count: Images in all.
        seed: Seed of the order; None keeps the images in their own.
        rank: This process's number.
        world: Number of processes. No image goes to two of them.
    """

    def __init__(self, count: int, seed: int | None = None, rank: int = 0, world: int = 1) -> None:
        self.count, self.seed, self.rank, self.world = count, seed, rank, world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def indices(self) -> npt.NDArray[np.int64]:
        if self.seed is None:
            order = np.arange(self.count)
        else:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        return order[self.rank :: self.world]


class ByteLoader:
    """Iterates over batches ``(images, labels)``: uint8 ``(B, C, H, W)``, and int64 ``(B,)`` or None.

    Args:
        array: The images.
        sampler: Which of them, in which order.
        batch_size: Images in a batch.
        drop_last: Whether a last batch that is not full is left out; then every process has as many batches.
    """

    batch_sampler = None  # Lightning asks for it wherever there is a sampler

    def __init__(self, array: ByteArray, sampler: EpochSampler, batch_size: int, drop_last: bool) -> None:
        self.array, self.sampler, self.batch_size, self.drop_last = array, sampler, batch_size, drop_last
        self.resume_at = (-1, 0)  # in this epoch start with this batch

    def __len__(self) -> int:
        if self.drop_last:
            return self.sampler.count // self.sampler.world // self.batch_size
        share = len(range(self.sampler.rank, self.sampler.count, self.sampler.world))
        return -(-share // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        indices = self.sampler.indices()
        epoch, batch = self.resume_at
        for number in range(batch if epoch == self.sampler.epoch else 0, len(self)):
            yield self._gather(indices[number * self.batch_size : (number + 1) * self.batch_size])

    def _gather(self, indices: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor | None]:
        images = torch.from_numpy(self.array.images[indices])
        labels = None if self.array.labels is None else torch.from_numpy(self.array.labels[indices])
        return images, labels
