"""Results of an evaluation, as ``results.json`` holds them."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation.metrics.metric import Column
from slimgan_pl.evaluation.metrics.registry import BETWEEN, COLUMNS, column_of
from slimgan_pl.evaluation.results_json import SIZES, STD, check_document, is_finite, metric_key, net_of

__all__ = ["EvaluationResults", "Row", "read_results"]

COMPARABLE = ("extractor", "classifier")  # equal, where metrics compare


@dataclass(frozen=True)
class Row:
    """Sizes and metrics of one width, or of a folder of images.

    Attributes:
        width: Share of the channels, in (0, 1]; None for a folder of images.
        values: Finite sizes, and metrics by their keys without the extractor's name; they may be NaN or infinite.
        deviation: Sample standard deviations of metrics over seeds, by the same keys.
    """

    width: float | None
    values: Mapping[str, float]
    deviation: Mapping[str, float]

    @property
    def name(self) -> str:
        """The width as text."""
        return "images" if self.width is None else f"{self.width:g}"


@dataclass(frozen=True)
class EvaluationResults:
    """Metrics of every width with their provenance; ``from_json`` makes and checks them.

    Attributes:
        document: Plain values by the keys of ``results.json``, without those that should be numbers and are not.
        iteration: Iteration of the checkpoint; None for a folder of images.
        individual: Width of a net that was trained alone, or None.
        images: Folder of images that was evaluated in place of a net, or None.
        protocol: Numbers of images, and seeds. ``labels`` is None without labels, and ``uniform`` where an earlier
            version did not say.
    """

    document: Mapping[str, Any]
    iteration: int | None
    individual: float | None
    images: str | None
    protocol: Mapping[str, Any]

    @classmethod
    def from_json(cls, document: Any, source: object = "this") -> "EvaluationResults":
        """Check a ``results.json`` of this version or an earlier one.

        Args:
            document: The content as plain values.
            source: Its file, for the message.

        Raises:
            SlimGANError: If it is not of that form.
        """
        try:
            found = check_document(document)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise SlimGANError(f"{source} does not hold results of slimgan fit or test ({error})") from error
        protocol = {"labels": "uniform", **found["protocol"]}
        return cls(found, found["iteration"], found.get("individual"), found.get("images"), protocol)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as ``results.json`` holds them."""
        return dict(self.document)

    @property
    def num_seeds(self) -> int:
        """Number of seeds over which metrics are averaged."""
        return len(self.protocol["seeds"])

    @property
    def training(self) -> Mapping[str, float]:
        """Known iterations, device seconds and multiply-accumulates of the training."""
        return self.document.get("training") or {}

    @property
    def weights(self) -> str:
        """Evaluated weights, ``averaged`` or ``raw``."""
        weights: str = self.document.get("weights", "raw")  # earlier versions had no averages
        return weights

    @property
    def has_average(self) -> bool | None:
        """True if training has kept averaged weights; None if it is unknown."""
        return True if self.weights == "averaged" else self.document.get("has_average")

    @property
    def skips_average(self) -> bool:
        """True if raw weights were evaluated in place of averaged ones."""
        return self.weights == "raw" and self.has_average is True

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Everything known but metrics and the cost of training."""
        left_out = {"iteration", "individual", "widths", "real", "deviation", "per_seed", "training"}
        left_out |= {self.key(name) for name in (*(column.key for column in BETWEEN), "consistency")}
        return {key: value for key, value in self.document.items() if key not in left_out and value is not None}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Rows of the widths, or the one of a folder of images."""
        rows = self.document["widths"]
        deviation = self.document.get("deviation") or {"widths": [{}] * len(rows)}
        return tuple(
            Row(
                row["width"],
                {**{key: row[key] for key in SIZES if key in row}, **self._metrics(row)},
                self._metrics(std),
            )
            for row, std in zip(rows, deviation["widths"], strict=True)
        )

    @property
    def columns(self) -> list[Column]:
        """Columns of the metrics that some width has."""
        return [column for column in COLUMNS if any(column.key in row.values for row in self.rows)]

    @cached_property
    def real(self) -> Mapping[str, float]:
        """Metrics of the real images, by keys without the extractor's name."""
        return self._metrics(self.document.get("real") or {})

    @cached_property
    def between(self) -> Mapping[str, float]:
        """Metrics between widths, by keys without the extractor's name."""
        return {column.key: self.document[key] for column in BETWEEN if (key := self.key(column.key)) in self.document}

    @property
    def consistency(self) -> list[list[float]] | None:
        """Feature distances ``(W, W)`` between widths, if complete and finite."""
        matrix, size = self.document.get(self.key("consistency")), len(self.rows)
        if not isinstance(matrix, list) or size < 2 or len(matrix) != size:
            return None
        is_whole = all(isinstance(row, list) and len(row) == size and all(map(is_finite, row)) for row in matrix)
        return matrix if is_whole else None

    def row(self, width: float | None) -> Row | None:
        """Return the row of a width, or None."""
        return next((row for row in self.rows if row.width == width), None)

    def value(self, metric: str, width: float | None) -> float | None:
        """Return a metric by its key without the extractor's name."""
        row = self.row(width)
        return None if row is None else row.values.get(metric)

    def extractor_of(self, metric: str) -> str:
        """Return the name of the net that a metric comes from."""
        return net_of(metric, self.document)

    def key(self, metric: str) -> str:
        """Return the key of a metric in JSON, logs and charts."""
        return metric_key(metric, self.document)

    def label(self, metric: str, names_extractor: bool = False) -> str:
        """Return the name of a metric in text.

        Args:
            metric: Its key without the extractor's name.
            names_extractor: Whether another extractor than Inception is always named, not just where the name means
                something else by it.
        """
        column, net = column_of(metric), self.extractor_of(metric)
        title = column.title if column.is_named else f"{column.title[0].upper()}{column.title[1:]}"
        return title if net == "inception" or not (names_extractor or column.is_named) else f"{title} ({net})"

    def is_comparable(self, other: "EvaluationResults") -> bool:
        """Return whether two results share a protocol and an extractor."""
        parts = [{key: each.document.get(key) for key in COMPARABLE} for each in (self, other)]
        protocols = [dict(each.protocol) for each in (self, other)]
        labels = [protocol.pop("labels") for protocol in protocols]
        return parts[0] == parts[1] and protocols[0] == protocols[1] and (None in labels or labels[0] == labels[1])

    def _metrics(self, row: Mapping[str, float]) -> dict[str, float]:
        keys = {key: self.key(key) for column in COLUMNS for key in (column.key, column.key + STD)}
        return {name: row[key] for name, key in keys.items() if key in row}


def read_results(path: Path) -> EvaluationResults:
    """Read a file of results.

    Raises:
        SlimGANError: If there is none, or it is broken.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SlimGANError(
            f"there are no results at {path}; slimgan fit with an evaluator writes them at its end, slimgan test again"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SlimGANError(f"{path} does not hold results of slimgan fit or test ({error})") from error
    return EvaluationResults.from_json(document, path)


def __getattr__(name: str) -> object:
    renamed = {"key_of": (metric_key, "key"), "judge_of": (net_of, "extractor_of")}
    if name not in renamed:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function, method = renamed[name]
    warnings.warn(f"{name} is now EvaluationResults.{method}", DeprecationWarning, stacklevel=2)
    return function
