"""Base class of the data modules."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from slimgan_pl.data.broken_images import BrokenImagesError, describe_broken
from slimgan_pl.data.byte_array import ByteArray, ImageSource, open_byte_array
from slimgan_pl.data.loader import ByteLoader, WholeSplit
from slimgan_pl.data.record import DataRecord
from slimgan_pl.data.splits import MIN_TEST
from slimgan_pl.data.summary import DataSummary
from slimgan_pl.data.value_range import SeenValues, ValueRange
from slimgan_pl.errors import SlimGANError, SlimGANWarning, check_range
from slimgan_pl.utils.files import default_cache_dir
from slimgan_pl.utils.images import from_bytes
from slimgan_pl.utils.recipes import Recorded

__all__ = ["ByteDataModule", "Split"]

Split = Literal["train", "test"]

Batch = tuple[Tensor, Tensor | None]


class ByteDataModule(Recorded, LightningDataModule, ABC):
    """Base of the data modules.

    A subclass defines ``name``, ``num_classes`` and ``source``, and ``classes`` if they have names. Batches of the
    ``train`` split arrive on the device as bytes and are scaled there to images ``(B, C, H, W)`` in [-1, 1], with
    labels ``(B,)`` or None. Validation and test get a whole split as one batch.

    Args:
        image_size: Side of the images in pixels.
        image_channels: Channels of the images.
        batch_size: Real images per discriminator update and process. A training batch holds ``critic_steps`` times as
            many, one part for each update, and one more for the generator's update of a relativistic loss.
        cache_dir: Folder for the byte arrays; by default ``slimgan-pl`` in the user's cache folder.
        flip: Whether half of the training images, others in each epoch, are flipped left to right.
    """

    name: str
    value_range: ValueRange | None = None  # values of more than 8 bits that become black and white

    def __init__(
        self, image_size: int, image_channels: int, batch_size: int, cache_dir: str | None, flip: bool = False
    ) -> None:
        super().__init__()
        check_range("batch_size", batch_size, 1)
        check_range("image_size", image_size, 1)
        self.image_size = image_size
        self.image_channels = image_channels
        self.batch_size = batch_size
        self.flip = flip
        self.cache_dir = Path(cache_dir).expanduser() if cache_dir else default_cache_dir()
        self.arrays: dict[Split, ByteArray] = {}
        recipe = self.recipe
        self.save_hyperparameters({"_class_path": recipe["class_path"], **recipe["init_args"]})

    @property
    @abstractmethod
    def num_classes(self) -> int:
        """Number of classes, or 0 where there are none."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes by their labels; empty for numbers."""
        return ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in printable letters, or their numbers."""
        names = self.classes or map(str, range(self.num_classes))
        return tuple("".join(letter if letter.isprintable() else "?" for letter in name) for name in names)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Training images of each class; empty without labels."""
        labels = self.arrays["train"].labels
        return () if labels is None else tuple(np.bincount(labels, minlength=self.num_classes).tolist())

    @abstractmethod
    def source(self, split: Split) -> ImageSource:
        """Return the source of a split's images."""

    @property
    def holds_out(self) -> bool:
        """Whether the test images are a share that this module chooses."""
        return False

    @property
    def left_out(self) -> list[str]:
        """Names of what is left out, such as ``3 files``, after ``setup``."""
        return []

    def summary(self) -> DataSummary:
        """Return the numbers of images and classes; call it after ``setup``."""
        train, test = self.arrays["train"], self.arrays["test"]
        _, channels, _, side = train.images.shape
        sizes = self.class_counts
        classes = self.class_names if self.classes else ()
        return DataSummary(len(train.images), len(test.images), classes, sizes, side, channels, self.left_out)

    @cached_property
    def record(self) -> DataRecord:
        """Record of the images; read after ``setup``."""
        return DataRecord.of(self.arrays, self.classes)

    def state_dict(self) -> dict[str, Any]:
        """Return the record of the images, for a checkpoint."""
        return self.record.to_state() if self.arrays else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Print how the images differ from those of a checkpoint.

        Raises:
            SlimGANError: If a conditional net is trained on and its labels would mean other classes.
        """
        before = DataRecord.from_state(state_dict)
        self._check_classes(before.classes)
        if changes := self.record.changes_since(before):
            rank_zero_only(print)(f"Changed since the checkpoint: data: {'; '.join(changes)}")

    def prepare_data(self) -> None:
        """Build the byte arrays that the cache lacks, once on each node."""
        self._open(verify=True)
        left_out = [image for array in self.arrays.values() for image in array.left_out]
        if left_out:
            total = len(left_out) + sum(len(array.images) for array in self.arrays.values())
            warnings.warn(f"left out: {describe_broken(left_out, total)}", SlimGANWarning, stacklevel=2)
            self._check_rest()
        seen = SeenValues()
        for array in self.arrays.values():
            seen.join(array.seen or SeenValues())
        for sentence in seen.warnings(self.value_range):
            warnings.warn(sentence, SlimGANWarning, stacklevel=2)

    def setup(self, stage: str) -> None:
        """Open the byte arrays."""
        if not self.arrays:
            self._open(verify=False)

    def train_dataloader(self) -> ByteLoader:
        """Return shuffled batches of ``batch_size`` images for each update that takes some.

        Raises:
            SlimGANError: If there are fewer images than one batch takes.
        """
        trainer = self.trainer
        model = getattr(trainer, "lightning_module", None)
        loader = ByteLoader(
            self.arrays["train"],
            self.batch_size * getattr(model, "real_batches", 1),
            seed=getattr(model, "seed", 0),
            position=lambda: 0 if trainer is None else trainer.global_step,
            rank=0 if trainer is None else trainer.global_rank,
            world=1 if trainer is None else trainer.world_size,
            pin_memory=trainer is not None and trainer.strategy.root_device.type == "cuda",
            flip=self.flip,
        )
        if len(loader) == 0:
            raise SlimGANError(
                f"there are {len(self.arrays['train'].images)} training images, but one iteration takes "
                f"{loader.batch_size} on each of {loader.world} processes; lower --data.batch_size or give more images"
            )
        return loader

    def val_dataloader(self) -> WholeSplit:
        """Return the evaluator's real split as a single batch, a ``ByteArray``."""
        evaluator = getattr(getattr(self.trainer, "lightning_module", None), "evaluator", None)
        return WholeSplit(self.arrays["test" if evaluator is None else evaluator.protocol.real_split])

    def test_dataloader(self) -> WholeSplit:
        """Return the validation loader."""
        return self.val_dataloader()

    def on_after_batch_transfer(self, batch: Batch | ByteArray, dataloader_idx: int) -> Batch | ByteArray:
        """Scale a training batch from bytes to [-1, 1], on the device."""
        if isinstance(batch, ByteArray):
            return batch
        images, labels = batch
        return (from_bytes(images) if images.dtype == torch.uint8 else images), labels

    def _check_rest(self) -> None:
        """Raise a SlimGANError where too little is left beside broken images."""
        if len(self.arrays["test"].images) < MIN_TEST:
            raise SlimGANError(f"fewer than {MIN_TEST} test images can be used; repair the broken ones, or add some")
        for name, count in zip(self.class_names, self.class_counts, strict=False):
            if count == 0:
                raise SlimGANError(f"no training image of the class {name} can be used; repair them or remove it")

    def _check_classes(self, before: Sequence[str]) -> None:
        net = getattr(getattr(self.trainer, "lightning_module", None), "generator", None)
        if not before or not getattr(net, "num_classes", 0) or self.trainer is None or not self.trainer.training:
            return
        for label, (old, new) in enumerate(zip_longest(before, self.record.classes, fillvalue="no class")):
            if old != new:
                raise SlimGANError(
                    f"label {label} is {new} here but {old} in the checkpoint, so labels would change their meaning; "
                    "name the classes as they were, or start a new run"
                )

    def _open(self, verify: bool) -> None:
        arrays: dict[Split, ByteArray] = {}
        broken: list[BrokenImagesError] = []
        for split in get_args(Split):
            try:
                arrays[split] = open_byte_array(self.source(split), f"{self.name}-{split}", self.cache_dir, verify)
            except BrokenImagesError as error:  # look at the other split too
                broken.append(error)
        if broken:
            images = [image for error in broken for image in error.images]
            images += [image for array in arrays.values() for image in array.left_out]
            built = sum(len(array.images) + len(array.left_out) for array in arrays.values())
            total = sum(error.total for error in broken) + built
            raise BrokenImagesError(images, total, broken[0].fixes)
        self.arrays = arrays
