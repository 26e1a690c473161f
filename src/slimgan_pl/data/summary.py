"""Summary of a data module's images, in one line."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["DataSummary"]

MOST_NAMED = 5  # classes named with their sizes; of more only the smallest and the largest
SKEW = 10  # ratio of the largest to the smallest class above which the line says so


@dataclass(frozen=True)
class DataSummary:
    """Images of each split, classes, and the form of an image.

    ``str(summary)`` is the line printed before training.

    Args:
        num_train: Training images.
        num_test: Test images.
        classes: Names of the classes in the order of their labels, which stand in for missing names.
        class_sizes: Training images of each class; empty without classes.
        image_size: Side of the images in pixels.
        image_channels: Channels of the images.
        left_out: What the folder holds beside these images, such as ``3 files``.

    >>> print(DataSummary(1620, 180, ("cat", "dog"), (900, 720), 64, 3))
    Data: 1,620 training and 180 test images, 2 classes (cat: 900, dog: 720), 64x64, 3 channels
    """

    num_train: int
    num_test: int
    classes: Sequence[str]
    class_sizes: Sequence[int]
    image_size: int
    image_channels: int
    left_out: Sequence[str] = ()

    def __str__(self) -> str:
        return f"Data: {self.describe()}"

    def describe(self) -> str:
        """Return the line without its title."""
        parts = [f"{self.num_train:,} training and {self.num_test:,} test images"]
        if self.class_sizes:
            parts.append(self.describe_classes())
        channels = "1 channel" if self.image_channels == 1 else f"{self.image_channels} channels"
        line = ", ".join([*parts, f"{self.image_size}x{self.image_size}", channels])
        return f"{line}; left out: {', '.join(self.left_out)}" if self.left_out else line

    def describe_classes(self) -> str:
        """Return the number of classes and sizes, of many the extremes."""
        count = len(self.class_sizes)
        names = self.classes if len(self.classes) == count else [f"class {label}" for label in range(count)]
        sized = [f"{name}: {size:,}" for name, size in zip(names, self.class_sizes, strict=True)]
        low, high = min(self.class_sizes), max(self.class_sizes)
        if count <= MOST_NAMED:
            sizes = ", ".join(sized)
        elif low == high:
            sizes = f"{low:,} images each"
        else:
            smallest, largest = (sized[self.class_sizes.index(size)] for size in (low, high))
            sizes = f"{smallest} to {largest}"
        if high > SKEW * low:
            sizes += f"; skewed by a factor of {high / low:.0f}" if low else "; skewed, as one has none"
        return f"{count:,} {'class' if count == 1 else 'classes'} ({sizes})"
