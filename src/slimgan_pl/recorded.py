"""Objects that know how they were built."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from typing_extensions import Self

from slimgan_pl.errors import UserError

__all__ = ["Recorded", "plain", "plain_hyperparameters"]


def plain(value: object) -> Any:
    """Turn a setting into plain values that YAML and a ``weights_only`` checkpoint can hold.

    A ``Recorded`` object becomes its recipe. What has no plain form becomes None.

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
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None


def plain_hyperparameters(settings: Mapping[str, object], nets: Mapping[str, object]) -> dict[str, Any]:
    """Return plain values, with which a checkpoint can be loaded on its own.

    Args:
        settings: The hyperparameters; one that has no plain form, such as a function, is left out.
        nets: Recorded objects, or None, that join them as their recipes.
    """
    values = {name: plain(value) for name, value in settings.items()}
    kept = {name: value for name, value in values.items() if value is not None or settings[name] is None}
    recipes = {name: plain(net) for name, net in nets.items()}
    return {**kept, **recipes, "_instantiator": "lightning.pytorch.cli.instantiate_module"}


def takes_none(annotation: object) -> bool:
    """Return whether an argument of this type may be None."""
    return annotation in (None, Any, inspect.Parameter.empty) or type(None) in get_args(annotation)


class Recorded:
    """Base class that records the constructor's arguments, so that a checkpoint can build the object again."""

    arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind_partial(self, *args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if value is None and not takes_none(bound.signature.parameters[name].annotation):
                raise UserError(f"{cls.__name__} needs its {name}; give it a value other than null, or leave it out")
        self.__dict__["arguments"] = dict(list(bound.arguments.items())[1:])
        return self

    @property
    def recipe(self) -> dict[str, Any]:
        """Plain values: ``class_path``, and ``init_args`` with the defaults filled in."""
        return {
            "class_path": f"{type(self).__module__}.{type(self).__qualname__}",
            "init_args": plain(self.arguments),
        }
