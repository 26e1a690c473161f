"""Classes of a conditional generator: names and frequencies."""

import unicodedata
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from itertools import accumulate
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import Self

from slimgan_pl.errors import SlimGANError

__all__ = ["Classes", "LabelSampling"]

LabelSampling = Literal["data", "uniform"]

MOST_NAMES = 20  # in a message


@dataclass(frozen=True)
class Classes:
    """Names of the classes, and how often each is sampled.

    Attributes:
        names: A name per class, in the order of the labels.
        counts: Training images of each class, which labels are sampled in proportion to; empty: all alike.
    """

    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        counts = self.counts
        if counts and (len(counts) != len(self.names) or min(counts) < 0 or sum(counts) == 0):
            raise SlimGANError("classes need a number of images each, of at least 0, and not all 0")

    @classmethod
    def numbered(cls, num_classes: int) -> Self:
        """Return classes that are named for their numbers.

        >>> Classes.numbered(2)
        Classes(names=('0', '1'), counts=())
        """
        return cls(tuple(map(str, range(num_classes))))

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Return the classes of a file's plain values.

        Raises:
            SlimGANError: If they are of another form.
        """
        try:
            names, counts = tuple(values["names"]), tuple(values["counts"])
        except (KeyError, TypeError) as error:
            raise SlimGANError("the classes in the file are damaged; write it again") from error
        if not all(type(name) is str for name in names) or not all(type(count) is int for count in counts):
            raise SlimGANError("the classes in the file are damaged; write it again")
        return cls(names, counts)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"names": list(self.names), "counts": list(self.counts)}

    def sampled(self, how: LabelSampling) -> Self:
        """Return these classes with labels as in the data, or uniform."""
        return self if how == "data" else replace(self, counts=())

    @property
    def sampling(self) -> LabelSampling | None:
        """Sampling of the labels; None without classes. Equal counts are uniform.

        >>> Classes(("a", "b"), (2, 1)).sampling, Classes(("a", "b"), (2, 2)).sampling, Classes().sampling
        ('data', 'uniform', None)
        """
        if not self.names:
            return None
        return "data" if len(set(self.counts)) > 1 else "uniform"

    def labels_of(self, normals: Tensor) -> Tensor:
        """Return the labels ``(N,)`` that standard normal numbers ``(N,)`` choose."""
        counts = self.counts if self.sampling == "data" else (1,) * len(self.names)
        return torch.bucketize(normals, class_bounds(counts, normals.device), right=True)

    def number_of(self, label: int | str) -> int:
        """Return the number of a class given by name or number.

        A name comes before a number, where names are numbers themselves.

        Raises:
            SlimGANError: If there is no such class.
        """
        text = unicodedata.normalize("NFC", str(label))
        if text in self.names:
            return self.names.index(text)
        if text.isdecimal() and int(text) < len(self.names):
            return int(text)
        if not self.names:
            raise SlimGANError(f"there is no class {text}: this generator has none; leave --label out")
        lower = {name.lower(): name for name in self.names}
        near = [lower[name] for name in get_close_matches(text.lower(), lower, 3)]
        listed = ", ".join(self.names[:MOST_NAMES]) + (", ..." if len(self.names) > MOST_NAMES else "")
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise SlimGANError(
            f"there is no class {text}; {meant}give one of {listed}, or its number from 0 to {len(self.names) - 1}"
        )


@lru_cache(maxsize=32)
def class_bounds(counts: tuple[int, ...], device: torch.device) -> Tensor:
    """Return the bounds ``(K - 1,)`` between classes of a standard normal.

    Between two neighbours lies a class's share of the distribution, nothing of a class without images. They are made
    once, as a copy to a GPU would make every iteration wait.
    """
    below = torch.tensor(list(accumulate(counts))[:-1], dtype=torch.float64) / sum(counts)
    bounds: Tensor = torch.special.ndtri(below)
    return bounds.to(device, torch.float32)
