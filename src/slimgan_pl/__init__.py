"""Slimmable GANs: a generator, trained once, that runs at several widths.

Everything but ``slimgan_pl.models`` needs Lightning; names are imported when they are first used, so that a generator
alone loads without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from slimgan_pl._version import __version__

if TYPE_CHECKING:
    from slimgan_pl.callbacks.defaults import default_callbacks, default_trainer_arguments
    from slimgan_pl.errors import SlimGANError
    from slimgan_pl.runs.checkpoints import load_model
    from slimgan_pl.training.augmentation import Augmentation
    from slimgan_pl.training.ema import EMA
    from slimgan_pl.training.penalties import Penalty
    from slimgan_pl.training.schedules import Schedule, Schedules
    from slimgan_pl.training.slimgan import SlimGAN

__all__ = [
    "EMA",
    "Augmentation",
    "Penalty",
    "Schedule",
    "Schedules",
    "SlimGAN",
    "SlimGANError",
    "__version__",
    "default_callbacks",
    "default_trainer_arguments",
    "load_model",
]

_HOMES = {
    "Augmentation": "slimgan_pl.training.augmentation",
    "EMA": "slimgan_pl.training.ema",
    "Penalty": "slimgan_pl.training.penalties",
    "Schedule": "slimgan_pl.training.schedules",
    "Schedules": "slimgan_pl.training.schedules",
    "SlimGAN": "slimgan_pl.training.slimgan",
    "SlimGANError": "slimgan_pl.errors",
    "UserError": "slimgan_pl.errors",  # its name in version 0.1.0
    "default_callbacks": "slimgan_pl.callbacks.defaults",
    "default_trainer_arguments": "slimgan_pl.callbacks.defaults",
    "load_model": "slimgan_pl.runs.checkpoints",
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'slimgan_pl' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
