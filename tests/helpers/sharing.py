"""Tests that run rarely, and what the tests of all workers share."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

__all__ = ["bounded", "fill_once", "mostly_slow"]


def fill_once(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]) -> Path:
    """Return a folder that one of pytest-xdist's workers fills while the others wait.

    Args:
        factory: pytest's factory of temporary folders.
        name: The folder's name, unique among the tests.
        fill: Function that writes into the empty folder.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, mark = root / name, root / f"{name}.whole"
    with FileLock(root / f"{name}.lock"):
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a failed worker left
            folder.mkdir()
            fill(folder)
            mark.touch()
    return folder


def mostly_slow(
    names: str | tuple[str, ...],
    values: Iterable[Any],
    keep: int | Callable[[Any], object] = 1,
    ids: Sequence[str] | Callable[[Any], str] | None = None,
) -> pytest.MarkDecorator:
    """Return ``pytest.mark.parametrize`` of which ``make test`` runs a few values and ``make test-all`` all.

    Args:
        names: The parameters' names.
        values: A value, or a tuple of one for each name.
        keep: How many of the first, or which, are not marked as slow.
        ids: The names of the values.
    """
    params = []
    for number, value in enumerate(values):
        fast = number < keep if isinstance(keep, int) else keep(value)
        given = (value,) if isinstance(names, str) else value
        params.append(pytest.param(*given, marks=() if fast else pytest.mark.slow))
    return pytest.mark.parametrize(names, params, ids=ids)


def bounded(max_examples: int) -> settings:
    """Return hypothesis's settings for the same examples at each run, fewer in ``make test``."""
    count = min(max_examples, settings.default.max_examples) if settings.default else max_examples
    unscoped = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=unscoped)
