"""Settings of the command line: defaults, and those that a checkpoint carries."""

import inspect
import os
import warnings
from pathlib import Path
from typing import Any

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.training.optimizers import ADAM
from slimgan_pl.utils.recipes import class_path

__all__ = ["MODEL_DEFAULTS", "TRAINER_DEFAULTS", "read_carried_settings", "read_root"]

MODEL_DEFAULTS: dict[str, Any] = {
    "model.generator_optimizer": ADAM,
    "model.discriminator_optimizer": ADAM,
    "model.evaluator": {"class_path": "slimgan_pl.evaluation.Evaluator"},  # with Inception
}

TRAINER_DEFAULTS: dict[str, Any] = {
    "default_root_dir": "runs",
    "max_steps": 100_000,
    "check_val_every_n_epoch": None,  # epochs do not matter here: everything counts iterations
    "val_check_interval": 10**9,  # evaluation during training only when asked for
    "num_sanity_val_steps": 0,
    "enable_model_summary": False,
    "use_distributed_sampler": False,  # the data modules share out images themselves
}


def read_carried_settings(checkpoint: dict[str, Any], ckpt_path: str) -> dict[str, Any]:
    """Return a checkpoint's settings by the names of the command's options.

    Raises:
        SlimGANError: If they are of another form than those that ``slimgan fit`` writes.
    """
    settings: dict[str, Any] = {}
    try:
        model = dict(checkpoint["hyper_parameters"])
        data = dict(checkpoint.get("datamodule_hyper_parameters", {}))
        settings["seed_everything"] = model.pop("seed", 0)
        if "_class_path" in data:
            init_args = {key: value for key, value in data.items() if not key.startswith("_")}
            settings["data"] = {"class_path": data["_class_path"], "init_args": init_args}
        settings |= {f"model.{key}": value for key, value in model.items() if not key.startswith("_")}
        evaluator = settings.get("model.evaluator")
        if evaluator and evaluator["class_path"] == class_path(Evaluator):
            settings["model.evaluator"] = drop_unknown_settings(evaluator, ckpt_path)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SlimGANError(
            f"{ckpt_path} is not a checkpoint that slimgan fit has written: its settings are odd"
        ) from error
    return settings


def read_root(checkpoint: dict[str, Any]) -> str | None:
    """Return the folder of runs of a checkpoint's run, or None.

    An absolute path of another machine counts as none, and so does one that leaves the working directory.
    """
    try:
        root = checkpoint["run"]["settings"]["trainer"]["default_root_dir"]
    except (KeyError, TypeError):
        return None
    if not isinstance(root, str) or ".." in Path(root).parts:
        return None
    return root if not os.path.isabs(root) or os.path.isdir(root) else None


def drop_unknown_settings(recipe: dict[str, Any], ckpt_path: str) -> dict[str, Any]:
    """Return an evaluator's recipe without the settings that it no longer has."""
    settings, known = recipe["init_args"], inspect.signature(Evaluator).parameters
    if unknown := sorted(settings.keys() - known.keys()):
        message = f"{ckpt_path} is of another version: its Evaluator's {', '.join(unknown)} is left out"
        warnings.warn(message, SlimGANWarning, stacklevel=2)
    return {**recipe, "init_args": {key: value for key, value in settings.items() if key in known}}
