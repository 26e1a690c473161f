"""Data that are the same at every iteration."""

from collections.abc import Iterator

from lightning.pytorch import LightningDataModule
from torch import Tensor

__all__ = ["OneBatch"]


class Repeated:
    """A loader of one batch an epoch."""

    def __init__(self, batch: tuple[Tensor, Tensor | None]) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        yield self.batch


class OneBatch(LightningDataModule):
    """Gives the same real images every iteration."""

    def __init__(self, images: Tensor, labels: Tensor | None = None) -> None:
        super().__init__()
        self.batch = images, labels

    def train_dataloader(self) -> Repeated:
        return Repeated(self.batch)
