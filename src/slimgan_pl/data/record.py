"""Record of a data module's images, and changes between two."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from typing_extensions import Self

from slimgan_pl.data.byte_array import ByteArray
from slimgan_pl.data.image_hashes import HASHES, hash_images
from slimgan_pl.errors import SlimGANError

__all__ = ["DataRecord"]

TITLES = {"train": "training", "test": "test"}

Hashes = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DataRecord:
    """Hashes of each split's images, their labels, names of classes.

    It depends on neither names nor dates of files, so that a data set can be moved to another machine.
    """

    hashes: Mapping[str, Hashes]
    labels: Mapping[str, Labels | None]
    classes: Sequence[str]

    @classmethod
    def of(cls, arrays: Mapping[Any, ByteArray], classes: Sequence[str]) -> Self:
        """Return the record of the arrays of all splits."""
        labels = {split: array.labels for split, array in arrays.items()}
        return cls({split: read_hashes(array) for split, array in arrays.items()}, labels, list(classes))

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Read a record from a checkpoint's values.

        Raises:
            SlimGANError: If they are none of ``to_state``.
        """
        try:
            hashes = {str(split): value.to(torch.int64).ravel().numpy() for split, value in state["hashes"].items()}
            classes = [str(name) for name in state["classes"]]
            labels = {
                str(split): None if value is None else read_labels(value, len(hashes[split]), len(classes))
                for split, value in state["labels"].items()
            }
            return cls(hashes, labels, classes)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise SlimGANError(
                "the checkpoint's record of its data is not one that slimgan fit has written; take another checkpoint"
            ) from error

    def to_state(self) -> dict[str, Any]:
        """Return values for a ``weights_only`` checkpoint, 8 bytes an image.

        Labels take 4 bytes more.
        """
        hashes = {split: torch.from_numpy(values) for split, values in self.hashes.items()}
        labels = {
            split: None if values is None else torch.from_numpy(values.astype(np.int32))
            for split, values in self.labels.items()
        }
        return {"hashes": hashes, "labels": labels, "classes": list(self.classes)}

    def changes_since(self, before: "DataRecord") -> list[str]:
        """Return a phrase for each change of images, labels or classes."""
        phrases, added = [], dict[str, Hashes]()
        none = np.empty(0, np.int64)
        for split, title in TITLES.items():
            old, new = before.hashes.get(split, none), self.hashes.get(split, none)
            added[split] = none
            if changed := self.count_relabelled(before, split):
                phrases.append(f"{changed:,} {title} image{'s' * (changed != 1)} with another label")
            if np.array_equal(old, new):
                continue
            added[split], removed = subtract(new, old), subtract(old, new)
            if len(added[split]) == len(new) and len(removed) == len(old):
                phrases.append(f"all {title} images have other pixels ({len(old):,} -> {len(new):,})")
            elif len(added[split]) or len(removed):
                phrases.append(describe_numbers(title, len(added[split]), len(removed)))
            elif not changed:  # files that move to another class have another place, too
                phrases.append(f"the {title} images are in another order")
        if leaked := int(np.isin(added["train"], before.hashes.get("test", none)).sum()):
            phrases.append(f"{plural(leaked, 'former test image')} now trained on")
        if leaked := int(np.isin(added["test"], before.hashes.get("train", none)).sum()):
            phrases.append(f"{plural(leaked, 'former training image')} now tested with")
        if before.classes and list(before.classes) != list(self.classes):
            phrases.append(f"other classes ({len(before.classes)} -> {len(self.classes)})")
        return phrases

    def count_relabelled(self, before: "DataRecord", split: str) -> int:
        """Return how many images are in both, of other classes by name."""
        new, old = mix_labels(self, split), mix_labels(before, split)
        if new is None or old is None:
            return 0
        return len(subtract(new, old)) - len(subtract(self.hashes[split], before.hashes[split]))


def mix_labels(record: DataRecord, split: str) -> Hashes | None:
    """Return hashes of a split's images with the names of their classes."""
    labels = record.labels.get(split)
    if labels is None:
        return None
    names = record.classes or [str(label) for label in range(int(labels.max(initial=0)) + 1)]
    digests = [hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=8).digest() for name in names]
    of_names = np.array([int.from_bytes(each, "big", signed=True) for each in digests], np.int64)
    mixed: Hashes = record.hashes[split] ^ of_names[labels]
    return mixed


def read_labels(values: torch.Tensor, num_images: int, num_classes: int) -> Labels:
    """Return labels of a checkpoint; raise ValueError unless they fit."""
    labels: Labels = values.to(torch.int64).ravel().numpy()
    if len(labels) != num_images or labels.min(initial=0) < 0 or (num_classes and labels.max(initial=0) >= num_classes):
        raise ValueError("the labels do not fit the images")
    return labels


def read_hashes(array: ByteArray) -> Hashes:
    """Return the hashes of an array's images, which its folder holds."""
    if array.folder is None or not (array.folder / HASHES).is_file():
        return hash_images(array.images)
    hashes: Hashes = np.load(array.folder / HASHES)
    return hashes


def subtract(values: Hashes, others: Hashes) -> Hashes:
    """Return the values beyond those in others, counting repetitions."""
    found, number = np.unique(np.concatenate([values, others]), return_inverse=True)
    mine, theirs = (np.bincount(part, minlength=len(found)) for part in np.split(number, [len(values)]))
    return np.repeat(found, (mine - theirs).clip(0))


def describe_numbers(title: str, added: int, removed: int) -> str:
    """Return a phrase for numbers of images of a split.

    >>> describe_numbers("test", 1, 0), describe_numbers("training", 1200, 3)
    ('1 test image added', '1,200 training images added and 3 removed')
    """
    if not added:
        return f"{removed:,} {title} image{'s' * (removed != 1)} removed"
    phrase = f"{added:,} {title} image{'s' * (added != 1)} added"
    return f"{phrase} and {removed:,} removed" if removed else phrase


def plural(number: int, noun: str) -> str:
    """Return a number, a noun and its verb.

    >>> plural(1, "image"), plural(2, "image")
    ('1 image is', '2 images are')
    """
    return f"{number:,} {noun} is" if number == 1 else f"{number:,} {noun}s are"
