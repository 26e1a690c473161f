"""Classes that a checkpoint may name: this package's, and PyTorch's optimizers."""

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch

from slimgan_pl.errors import SlimGANError

__all__ = ["check_trusted", "find_names", "find_untrusted"]

CLASS_KEYS = ("class_path", "_class_path")

CLASS_SETTINGS = (  # whose values may name a class outright
    "classifier",
    "data",
    "discriminator_optimizer",
    "discriminators",
    "evaluator",
    "extractor",
    "generator",
    "generator_optimizer",
)


def check_trusted(settings: Any, path: object, trusted: Collection[str] = ()) -> None:
    """Raise a SlimGANError where settings name an untrusted class, importing nothing.

    ``trusted`` holds other classes that may be built, as the user named them.
    """
    for name in find_untrusted(settings, trusted):
        raise SlimGANError(
            f"{path} names the class {name}, which is not of this package and would be run; add "
            "--trust_checkpoint true if you trust where the file comes from"
        )


def find_untrusted(settings: Any, trusted: Collection[str] = ()) -> Iterator[Any]:
    """Yield the untrusted classes that settings name."""
    for name in class_names(settings):
        if not (isinstance(name, str) and (name in trusted or is_known(name))):
            yield name


def class_names(settings: Any) -> Iterator[Any]:
    """Yield all that settings give as a class."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if key in CLASS_KEYS or (key in CLASS_SETTINGS and isinstance(value, str) and "." in value):
                yield value
            yield from class_names(value)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from class_names(value)


def is_known(name: str) -> bool:
    """Return whether a name is our loaded class or PyTorch's optimizer."""
    module, _, last = name.rpartition(".")
    found = getattr(sys.modules.get(module), last, None) if module.split(".")[0] in ("slimgan_pl", "torch") else None
    if not isinstance(found, type):
        return False
    if module == "torch.optim":
        return issubclass(found, torch.optim.Optimizer)
    return found.__module__.split(".")[0] == "slimgan_pl"


def find_names(settings: Any) -> set[str]:
    """Return all texts in nested plain values: what a user's configuration names."""
    if isinstance(settings, str):
        return {settings}
    if isinstance(settings, Mapping):
        settings = list(settings.values())
    return set().union(*map(find_names, settings)) if isinstance(settings, list | tuple) else set()
