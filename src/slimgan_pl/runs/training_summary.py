"""Summary of a checkpoint's training for its users."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["about_training"]

SETTINGS = ("adversarial_loss", "critic_steps", "latents", "recalibration", "seed")

DISTILLATION = ("distill_target", "distill_weight")

PARTS = ("penalty", "ema", "augmentation", "schedules")  # groups of settings

OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")

OPTIMIZER_SETTINGS = ("lr", "betas", "momentum", "weight_decay")


def about_training(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Summarize a checkpoint's training in plain values, as far as recorded.

    Returns:
        ``iterations``; ``data``, with ``name`` and ``class``, or None; ``settings``; ``individual``, the width of a
        plain GAN or None; and ``cost``, with ``device_seconds`` and ``macs``, or None.
    """
    settings = checkpoint["hyper_parameters"]
    individual = settings.get("individual")
    names = SETTINGS if individual is not None else (*SETTINGS, *DISTILLATION)
    run = mapping(mapping(checkpoint.get("run")).get("settings"))
    data = mapping(checkpoint.get("datamodule_hyper_parameters"))
    known = {
        **{name: settings.get(name) for name in names},
        **{name: about_part(settings.get(name)) for name in PARTS if has_effect(name, settings)},
        **{name: about_optimizer(settings.get(name)) for name in OPTIMIZERS},
        "batch_size": data.get("batch_size"),
        "processes": run.get("processes"),
        "precision": mapping(run.get("trainer")).get("precision"),
    }
    return {
        "iterations": checkpoint["global_step"],
        "data": about_data(data),
        "settings": {name: value for name, value in known.items() if value is not None},
        "individual": individual,
        "cost": about_cost(checkpoint),
    }


def has_effect(name: str, settings: Mapping[str, Any]) -> bool:
    """Return whether a group of a model's settings changes its training, by itself or by a schedule."""
    part, schedules = mapping(settings.get(name)), mapping(settings.get("schedules"))
    if name == "penalty":
        return part.get("gamma") != 0 or schedules.get("gamma") is not None
    if name == "augmentation":
        is_never = part.get("p") == 0 and part.get("target") is None and schedules.get("p") is None
        return part.get("transforms") != [] and not is_never
    return True


def about_part(settings: Any) -> str | None:
    """Describe a group of settings, or return None for one without any.

    >>> about_part({"gamma": 0.05, "images": "both"}), about_part({"lr": {"factor": 0.1, "end": None}, "p": None})
    ('gamma 0.05, images both', 'lr (factor 0.1)')
    """
    parts = []
    for name, value in mapping(settings).items():
        if isinstance(value, Mapping):
            value = f"({about_part(value)})"
        elif isinstance(value, list | tuple):
            value = " ".join(map(str, value))
        parts += [f"{name} {value}"] if value not in (None, "") else []
    return ", ".join(parts) or None


def about_optimizer(recipe: Any) -> str | None:
    """Describe an optimizer, such as ``Adam, lr 0.001, betas 0.5 0.99``."""
    if not isinstance(recipe, Mapping) or not isinstance(recipe.get("class_path"), str):
        return None
    arguments = mapping(recipe.get("init_args"))
    parts = [recipe["class_path"].rpartition(".")[2]]
    for name in OPTIMIZER_SETTINGS:
        value = arguments.get(name)
        if value or (value is not None and name == "lr"):  # from 0 where a schedule raises it
            numbers = value if isinstance(value, list | tuple) else [value]
            parts.append(f"{name} {' '.join(map(str, numbers))}")
    return ", ".join(parts)


def about_data(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a data set's class, and its name or its folder's."""
    path = data.get("_class_path")
    if not isinstance(path, str):
        return None
    class_name = path.rpartition(".")[2]
    name, root = class_name.removesuffix("DataModule"), data.get("root")
    if name == "ImageFolder" and isinstance(root, str):
        name = Path(root).name or name
    return {"name": name, "class": class_name}


def about_cost(checkpoint: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the cost over all devices, or None if partly uncounted."""
    cost = mapping(mapping(checkpoint.get("callbacks")).get("TrainingCost"))
    if not cost or cost.get("iterations") != checkpoint["global_step"]:
        return None
    return {"device_seconds": round(float(cost.get("seconds", 0)), 1), "macs": cost.get("macs")}


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping itself, or an empty one for other values."""
    return value if isinstance(value, Mapping) else {}
