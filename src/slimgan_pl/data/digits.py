"""Handwritten digits from scikit-learn, without a download."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from slimgan_pl.data.byte_array import ImageSource
from slimgan_pl.data.datamodule import ByteDataModule, Split

__all__ = ["DigitsDataModule"]

NUM_TEST = 450  # of 1,797 images


class DigitsSource(ImageSource):
    """Split of the digits, upscaled from 8x8 by bicubic interpolation."""

    def __init__(self, split: Split, image_size: int) -> None:
        from sklearn.datasets import load_digits  # takes a second to import

        pixels, labels = load_digits(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(labels))
        chosen = order[:NUM_TEST] if split == "test" else order[NUM_TEST:]
        self.pixels = (pixels[chosen].reshape(-1, 8, 8) * (255 / 16)).round().astype(np.uint8)
        self.labels = labels[chosen].astype(np.int64)
        self.image_size = image_size
        self.split = split

    @property
    def key(self) -> dict[str, Any]:
        return {"source": "digits", "split": self.split, "image_size": self.image_size, "num_test": NUM_TEST}

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        size = (self.image_size, self.image_size)
        image = Image.fromarray(self.pixels[index]).resize(size, Image.Resampling.BICUBIC)
        return np.asarray(image)[None]


class DigitsDataModule(ByteDataModule):
    """Handwritten digits: 1,347 training and 450 test images (Alpaydin & Kaynak 1998).

    Args:
        image_size: Side in pixels.
        batch_size: Real images per discriminator update and process.
        cache_dir: Folder for the byte arrays; by default ``slimgan-pl`` in the user's cache folder.
        flip: Whether half of the training images, others in each epoch, are flipped left to right.
    """

    name = "digits"
    num_classes = 10

    def __init__(
        self,
        image_size: Literal[16, 32] = 16,
        batch_size: int = 64,
        cache_dir: str | None = None,
        flip: bool = False,
    ) -> None:
        super().__init__(image_size, 1, batch_size, cache_dir, flip)

    def source(self, split: Split) -> DigitsSource:
        return DigitsSource(split, self.image_size)
