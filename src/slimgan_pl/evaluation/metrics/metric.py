"""Form of a metric: names, needs, and computation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from slimgan_pl.evaluation.statistics import ImageStatistics, RealSide

__all__ = ["BetweenWidths", "Column", "Metric", "Need"]

Need = Literal["logits", "all features", "neighbours"]


@dataclass(frozen=True)
class Column:
    """Number that a metric adds to the results.

    Attributes:
        key: Its key in results, before the name of the extractor.
        title: Its name in text.
        better: Which values are better.
        format: Format of a value.
        head: Short name over a narrow column of the terminal, if it differs from the title.
        is_named: Whether the title means this number by Inception alone, so that any other extractor is named too.
        of_logits: Whether it comes from class logits, so from the classifier where there is one.
        shows_std: Whether ``<key>_std``, the deviation within one evaluation, is shown behind it.
    """

    key: str
    title: str
    better: Literal["lower", "higher"]
    format: str = "{:.2f}"
    head: str = ""
    is_named: bool = False
    of_logits: bool = False
    shows_std: bool = False

    @property
    def arrow(self) -> str:
        """Arrow towards better values."""
        return "↓" if self.better == "lower" else "↑"

    def best(self, values: Iterable[float]) -> float:
        """Return the best of finite values."""
        return min(values) if self.better == "lower" else max(values)

    def is_improvement(self, change: float) -> bool:
        """Return whether a change is one for the better."""
        return (change < 0) == (self.better == "lower")


class BetweenWidths(Protocol):
    """Accumulator of a metric that compares the widths on the same latents."""

    def update(self, features: list[Tensor], logits: list[Tensor]) -> None:
        """Add each width's features ``(N, F)`` and logits ``(N, K)``, if any."""

    def compute(self) -> dict[str, Any]:
        """Return values by their keys in results."""


Compute = Callable[["ImageStatistics", "RealSide", "torch.device"], dict[str, float]]


@dataclass(frozen=True)
class Metric:
    """Metric of generated images.

    A module of this package that holds one as ``METRIC`` adds it everywhere. Such a module imports PyTorch only in the
    functions that compute, since tables and comparisons need none.

    Attributes:
        name: Its name in ``--model.evaluator.metrics``.
        columns: The numbers that it adds to each width, or between widths.
        order: Its place among the metrics, ascending.
        needs: What it needs beside mean and covariance of the features.
        compute: Returns its numbers, by key, of images against real ones; the device is where distances are computed.
        is_alone: Whether it needs no real images, so that these have a value too.
        between: Returns its accumulator for a number of widths, with logits or not, on a device, if it compares widths.
    """

    name: str
    columns: tuple[Column, ...]
    order: int = 100
    needs: tuple[Need, ...] = ()
    compute: Compute | None = None
    is_alone: bool = False
    between: Callable[[int, bool, torch.device], BetweenWidths] | None = None
