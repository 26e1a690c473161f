"""Summary of a checkpoint's training, in the settings that matter to its users."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["about_training"]

SETTINGS = ("adversarial_loss", "critic_steps", "latents", "recalibration", "seed")

DISTILLATION = ("distill_target", "distill_weight")

OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")

OPTIMIZER_SETTINGS = ("lr", "betas", "momentum", "weight_decay")


def about_training(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Summarize the training of a checkpoint as plain values, without what it does not record.

    Args:
        checkpoint: The content of the file, from ``read_checkpoint``.

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


def about_optimizer(recipe: Any) -> str | None:
    """Describe an optimizer in a line, such as ``Adam, lr 0.001, betas 0.5 0.99``."""
    if not isinstance(recipe, Mapping) or not isinstance(recipe.get("class_path"), str):
        return None
    arguments = mapping(recipe.get("init_args"))
    parts = [recipe["class_path"].rpartition(".")[2]]
    for name in OPTIMIZER_SETTINGS:
        value = arguments.get(name)
        if value:
            numbers = value if isinstance(value, list | tuple) else [value]
            parts.append(f"{name} {' '.join(map(str, numbers))}")
    return ", ".join(parts)


def about_data(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the class and name of a data set; the name of a folder is the last part of its path."""
    path = data.get("_class_path")
    if not isinstance(path, str):
        return None
    class_name = path.rpartition(".")[2]
    name, root = class_name.removesuffix("DataModule"), data.get("root")
    if name == "ImageFolder" and isinstance(root, str):
        name = Path(root).name or name
    return {"name": name, "class": class_name}


def about_cost(checkpoint: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the cost of training, summed over all devices, or None if a part was not counted."""
    cost = mapping(mapping(checkpoint.get("callbacks")).get("TrainingCost"))
    if not cost or cost.get("iterations") != checkpoint["global_step"]:
        return None
    return {"device_seconds": round(float(cost.get("seconds", 0)), 1), "macs": cost.get("macs")}


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is, and an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}
