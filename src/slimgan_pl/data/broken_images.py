"""Errors of images that cannot be used, one by one and together."""

from collections.abc import Mapping, Sequence

from slimgan_pl.errors import SlimGANError

__all__ = ["BrokenImageError", "BrokenImagesError", "describe_broken"]

MAX_NAMED = 10


class BrokenImageError(SlimGANError):
    """Image that cannot be used.

    Args:
        name: Its file, or what else tells it from others.
        reason: Why it cannot be used.
        fix: What to do.
    """

    def __init__(self, name: str, reason: str, fix: str = "repair or delete it") -> None:
        self.name, self.reason = name, reason
        super().__init__(f"the image {name} cannot be used ({reason})", {"": fix})


class BrokenImagesError(SlimGANError):
    """All images of a data set that cannot be used.

    Args:
        images: Their errors, at least one.
        total: Number of images in the data set.
        fixes: The fixes, as of a SlimGANError.
    """

    def __init__(self, images: Sequence[BrokenImageError], total: int, fixes: Mapping[str, str]) -> None:
        self.images, self.total = images, total
        super().__init__(describe_broken(images, total), fixes)


def describe_broken(images: Sequence[BrokenImageError], total: int) -> str:
    """Return the number of broken images, and the first with reasons.

    >>> describe_broken([BrokenImageError(f"{n}.png", "it is empty") for n in range(2)], 5)
    '2 of 5 images cannot be used: 0.png (it is empty), 1.png (it is empty)'
    """
    if len(images) == 1:
        return images[0].problem
    named = ", ".join(f"{image.name} ({image.reason})" for image in images[:MAX_NAMED])
    more = f", and {len(images) - MAX_NAMED} more" if len(images) > MAX_NAMED else ""
    return f"{len(images)} of {total} images cannot be used: {named}{more}"
