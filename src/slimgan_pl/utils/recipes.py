"""Recipes: plain values that build an object again."""

import dataclasses
import inspect
import sys
from collections.abc import Mapping
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar, get_args

from typing_extensions import Self

from slimgan_pl.errors import SlimGANError

__all__ = ["Recorded", "build_recipe", "class_path", "is_ours", "plain", "plain_hyperparameters", "with_current_paths"]

Value = TypeVar("Value")

PACKAGE = __name__.partition(".")[0]

RENAMED = {  # modules of version 0.1.0 whose classes a checkpoint may name -> where they are public
    "slimgan_pl.data.digits": "slimgan_pl.data",
    "slimgan_pl.data.image_folder": "slimgan_pl.data",
    "slimgan_pl.data.torchvision": "slimgan_pl.data",
    "slimgan_pl.evaluation.evaluator": "slimgan_pl.evaluation",
    "slimgan_pl.evaluation.extractors": "slimgan_pl.evaluation",
    "slimgan_pl.models.discriminators": "slimgan_pl.models",
    "slimgan_pl.models.generators": "slimgan_pl.models",
}


def class_path(kind: type) -> str:
    """Return a class's import path; for this package the public one.

    >>> from slimgan_pl.models import DCGANGenerator
    >>> class_path(DCGANGenerator)
    'slimgan_pl.models.DCGANGenerator'
    """
    name, module = kind.__qualname__, kind.__module__
    packages = accumulate(module.split("."), "{}.{}".format) if is_ours(module) else ()
    public = (package for package in packages if name in getattr(sys.modules.get(package), "__all__", ()))
    return f"{next(public, module)}.{name}"


def is_ours(module: str) -> bool:
    """Return whether a module is of this package."""
    return module.partition(".")[0] == PACKAGE


def with_current_paths(settings: Any) -> Any:
    """Replace class paths of version 0.1.0 in nested plain values.

    >>> with_current_paths({"class_path": "slimgan_pl.models.generators.DCGANGenerator"})
    {'class_path': 'slimgan_pl.models.DCGANGenerator'}
    """
    if isinstance(settings, Mapping):
        return {key: with_current_paths(value) for key, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [with_current_paths(value) for value in settings]
    if isinstance(settings, str):
        module, _, name = settings.rpartition(".")
        return f"{RENAMED[module]}.{name}" if module in RENAMED else settings
    return settings


def plain(value: object) -> Any:
    """Turn a setting into plain values for YAML and ``weights_only`` checkpoints.

    A ``Recorded`` object becomes its recipe, a dataclass a mapping. A value without a plain form becomes None.

    >>> plain({"widths": (0.5, 1.0), "root": Path("data")})
    {'widths': [0.5, 1.0], 'root': 'data'}
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Recorded):
        return value.recipe
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None


def build_recipe(value: Any) -> Any:
    """Build the objects of nested recipes; other values stay as they are.

    NOTE: this imports and calls any class that the recipe names; check the recipe first if it is from a file.

    >>> build_recipe({"class_path": "fractions.Fraction", "init_args": {"numerator": 3}})
    Fraction(3, 1)
    """
    if isinstance(value, Mapping):
        if "class_path" not in value:
            return {key: build_recipe(item) for key, item in value.items()}
        module, _, name = value["class_path"].rpartition(".")
        return getattr(import_module(module), name)(**build_recipe(value.get("init_args", {})))
    return [build_recipe(item) for item in value] if isinstance(value, list | tuple) else value


def plain_hyperparameters(settings: Mapping[str, object], nets: Mapping[str, object]) -> dict[str, Any]:
    """Return hyperparameters as plain values, which suffice to load a checkpoint.

    Settings without a plain form, such as functions, are omitted. Nets are recorded objects or None, added as recipes.
    """
    values = {name: plain(value) for name, value in settings.items()}
    kept = {name: value for name, value in values.items() if value is not None or settings[name] is None}
    recipes = {name: plain(net) for name, net in nets.items()}
    return {**kept, **recipes, "_instantiator": "lightning.pytorch.cli.instantiate_module"}


def takes_none(annotation: object) -> bool:
    """Return whether an argument of this type may be None."""
    return annotation in (None, Any, inspect.Parameter.empty) or type(None) in get_args(annotation)


class Recorded:
    """Base class that records the constructor's arguments in a recipe."""

    arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind_partial(self, *args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if value is None and not takes_none(bound.signature.parameters[name].annotation):
                raise SlimGANError(f"{cls.__name__} needs its {name}; give it a value other than null, or leave it out")
        self.__dict__["arguments"] = dict(list(bound.arguments.items())[1:])
        return self

    def settle(self, name: str, value: Value | None, default: Value) -> Value:
        """Return an argument, or its default for None, and record it."""
        settled = default if value is None else value
        if name in self.arguments:  # not of a subclass that fixes it
            self.arguments[name] = settled
        return settled

    @property
    def recipe(self) -> dict[str, Any]:
        """Plain values: ``class_path``, and ``init_args`` with the defaults filled in."""
        return {"class_path": class_path(type(self)), "init_args": plain(self.arguments)}
