"""Earlier evaluations of a run."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from slimgan_pl.runs.folder import RunFolder

__all__ = ["evaluations_before"]

JUDGES = ("protocol", "extractor", "classifier")  # have to be the same, or figures do not compare


def evaluations_before(folder: Path, results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a run's evaluations before ``results`` and by the same protocol found, in order.

    Args:
        folder: The run's folder.
        results: Of an evaluation; of images, which no iteration drew, there is none before.
    """
    found: list[dict[str, Any]] = []
    if results["iteration"] is None:
        return found
    for path in RunFolder(folder).evaluations().values():
        with suppress(OSError, ValueError):  # what is damaged counts as not there
            earlier = json.loads(path.read_text(encoding="utf-8"))
            if is_comparable(earlier, results) and earlier["iteration"] < results["iteration"]:
                found.append(earlier)
    return sorted(found, key=lambda earlier: int(earlier["iteration"]))


def is_comparable(earlier: Any, results: Mapping[str, Any]) -> bool:
    """Return whether results have the form of others and are by the same protocol."""
    return (
        isinstance(earlier, dict)
        and isinstance(earlier.get("iteration"), int)
        and all(earlier.get(key) == results.get(key) for key in JUDGES)
        and isinstance(earlier.get("widths"), list)
        and all(isinstance(row, dict) and "width" in row for row in earlier["widths"])
    )
