"""Settings of runs, and differences between those of two."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from inspect import Parameter, signature
from typing import Any

from slimgan_pl.utils.recipes import is_ours, plain, with_current_paths

__all__ = ["compare_settings", "run_settings"]

GROUPS = {  # of settings, with the classes that they do not name
    "checkpoint": "slimgan_pl.callbacks.IterationCheckpoint",
    "model": "slimgan_pl.SlimGAN",
    "samples": "slimgan_pl.callbacks.SampleGrid",
    "wandb_run": "slimgan_pl.runs.loggers.WandbRun",
}

EARLIER = {"labels": "uniform"}  # in version 0.1.0, which had no such setting; the default is another now

OF_THE_COMMAND = ("ckpt_path", "config", "trust_checkpoint", "verbose", "weights_only")


def run_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without the options that do not change a run."""
    return {key: value for key, value in settings.items() if key not in OF_THE_COMMAND}


def compare_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for each setting that differs between nested mappings.

    One that an earlier version did not have counts as its default.

    >>> compare_settings({"model": {"seed": 0, "lr": 1}}, {"model": {"seed": 0, "lr": 2}})
    ['model.lr: 1 -> 2']
    """
    before, now = with_current_paths(before), with_current_paths(now)
    old, new = dict(flatten(fill_in(before, now))), dict(flatten(fill_in(now, before)))
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


def fill_in(settings: Mapping[str, Any], other: Mapping[str, Any], kind: type | None = None) -> dict[str, Any]:
    """Return settings with the defaults of those that only the other ones hold.

    Args:
        settings: Nested settings.
        other: Those of another version.
        kind: Class of this package whose arguments they are, if it is known.
    """
    defaults, filled = {} if kind is None else find_defaults(kind), dict(settings)
    for name, value in other.items():
        default, own = defaults.get(name), settings.get(name)
        if name not in settings and default is not None:
            filled[name] = EARLIER.get(name, plain(default))
        elif isinstance(value, Mapping) and isinstance(own, Mapping):
            path = settings.get("class_path") if name == "init_args" else GROUPS.get(name)
            is_part = dataclasses.is_dataclass(default)
            filled[name] = fill_in(own, value, type(default) if is_part else find_class(path))
    return filled


def find_defaults(kind: type) -> dict[str, Any]:
    """Return the defaults of a class's arguments, also of those that it passes on to its bases."""
    constructors = [vars(base)["__init__"] for base in reversed(kind.__mro__[:-1]) if "__init__" in vars(base)]
    arguments = {name: each for made in constructors for name, each in signature(made).parameters.items()}
    return {name: each.default for name, each in arguments.items() if each.default is not Parameter.empty}


def find_class(path: object) -> type | None:
    """Return the class of this package at a path; None for any other, which is not imported."""
    module, _, name = str(path).rpartition(".")
    with suppress(ImportError, AttributeError):
        found = getattr(import_module(module), name) if is_ours(module) else None
        return found if isinstance(found, type) else None
    return None
