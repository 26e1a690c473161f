"""Settings of runs, and differences between those of two."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["compare_settings", "run_settings"]

OF_THE_COMMAND = ("ckpt_path", "config", "trust_checkpoint", "verbose", "weights_only")


def run_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without the options that do not change a run."""
    return {key: value for key, value in settings.items() if key not in OF_THE_COMMAND}


def compare_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for each setting that differs between nested mappings.

    >>> compare_settings({"model": {"seed": 0, "lr": 1}}, {"model": {"seed": 0, "lr": 2}})
    ['model.lr: 1 -> 2']
    """
    old, new = dict(flatten(before)), dict(flatten(now))
    return [
        f"{name}: {old.get(name, 'not set')} -> {new.get(name, 'not set')}"
        for name in old | new
        if old.get(name) != new.get(name)
    ]


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings by their dotted names."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
