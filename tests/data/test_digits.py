"""The digits that come with scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from slimgan_pl.data import ByteArray, DigitsDataModule


@pytest.mark.parametrize("image_size", [16, 32])
def test_both_splits_hold_each_digit_once_in_ten_classes(image_size: int) -> None:
    data = DigitsDataModule(image_size=image_size)  # type: ignore[arg-type]
    data.setup("fit")
    train, test = data.arrays["train"], data.arrays["test"]
    assert train.images.shape == (1347, 1, image_size, image_size)
    assert test.images.shape == (450, 1, image_size, image_size)
    assert train.labels is not None
    assert test.labels is not None
    labels = np.concatenate([train.labels, test.labels])
    assert np.array_equal(np.bincount(labels), np.bincount(load_digits().target))


def test_upscaling_keeps_the_mean_brightness() -> None:
    data = DigitsDataModule()
    data.setup("fit")
    pixels = np.concatenate([array.images for array in data.arrays.values()])
    assert pixels.mean() == pytest.approx(load_digits().data.mean() * 255 / 16, rel=0.02)


def test_batches_arrive_scaled_to_minus_one_and_one() -> None:
    data = DigitsDataModule()
    data.setup("fit")
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert not isinstance(batch, ByteArray)
    images, labels = batch
    assert images.dtype == torch.float32
    assert images.min() == -1
    assert images.max() == 1
    assert labels is not None
