"""Checkpoints read with PyTorch alone: their content, and their generator."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError, cause_of
from slimgan_pl.models import Classes, SlimmableGenerator
from slimgan_pl.runs.folder import find_checkpoint
from slimgan_pl.runs.trust import check_trusted
from slimgan_pl.utils.recipes import build_recipe, with_current_paths
from slimgan_pl.utils.torch_state import use_channels_last
from slimgan_pl.utils.weights import Weights

__all__ = ["build_generator", "check_weights", "load_generator", "read_checkpoint"]

SETTINGS = ("hyper_parameters", "datamodule_hyper_parameters", "run")


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the tensors and plain values of a checkpoint, executing nothing.

    Raises:
        SlimGANError: If the file is missing or not a checkpoint of this package.
    """
    if not Path(path).is_file():
        raise SlimGANError(
            f"there is no checkpoint {path}; give a run's folder, or a file such as checkpoints/last.ckpt"
        )
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None:  # torch ignores checksums
                raise zipfile.BadZipFile
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file makes the unpickler raise any exception
        raise SlimGANError(f"{path} cannot be read as a checkpoint: it is damaged or of another kind") from error
    if not has_our_form(checkpoint):
        raise SlimGANError(f"{path} is not a checkpoint that slimgan fit has written")
    settings = {key: with_current_paths(checkpoint[key]) for key in SETTINGS if key in checkpoint}
    settings["hyper_parameters"].setdefault("labels", "uniform")  # as in version 0.1.0, which had no setting
    return {**checkpoint, **settings}


def has_our_form(content: Any) -> bool:
    """Return whether content has the form of this package's checkpoints."""
    kinds = {"loops": dict, "callbacks": dict, "optimizer_states": list, "state_dict": dict, "hyper_parameters": dict}
    if not isinstance(content, dict) or not all(isinstance(content.get(key), kind) for key, kind in kinds.items()):
        return False
    iteration, version = content.get("global_step"), content.get("pytorch-lightning_version")
    weights, settings = content["state_dict"], content["hyper_parameters"]
    return (
        type(iteration) is int
        and iteration >= 0
        and isinstance(version, str)
        and re.fullmatch(r"\d+(\.\w+)*([+.\w-]*)", version) is not None
        and all(isinstance(states, dict) for states in content["optimizer_states"])
        and all(isinstance(name, str) and is_dense(value) for name, value in weights.items())
        and all(isinstance(name, str) for name in settings)
        and "generator" in settings
    )


def is_dense(value: Any) -> bool:
    """Return whether a value is a dense tensor with data."""
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta


def check_weights(model: nn.Module, weights: Mapping[str, Tensor], path: str | Path) -> None:
    """Raise a SlimGANError unless weights are finite and fit a model."""
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    for name in shapes | given:
        if shapes.get(name) != given.get(name):
            raise SlimGANError(
                f"{path} does not fit these nets: {name} is {given.get(name, 'missing')} there and "
                f"{shapes.get(name, 'missing')} here; leave the nets' settings as they were in training"
            )
    for name, value in weights.items():
        if not value.isfinite().all():
            raise SlimGANError(f"{path} holds weights that are NaN or infinite, in {name}; take an earlier checkpoint")


def load_generator(path: str | Path, trust: bool = False, weights: Weights = "averaged") -> SlimmableGenerator:
    """Build the generator of a checkpoint, with its weights, without Lightning.

    It is on the CPU, in evaluation mode and without gradients.

    Args:
        path: The checkpoint, or a run's folder, of which the newest is taken.
        trust: Whether it may name classes of other packages, whose code is then run.
        weights: The averaged weights where there are any, or the raw ones.

    Raises:
        SlimGANError: If the file is missing, broken or foreign, its weights do not fit its settings, or it names an
            untrusted class.
    """
    path = find_checkpoint(path)
    return build_generator(read_checkpoint(path), path, trust, weights)


def build_generator(
    checkpoint: Mapping[str, Any], path: str | Path, trust: bool = False, weights: Weights = "averaged"
) -> SlimmableGenerator:
    """Build the generator of a checkpoint's content, as :func:`load_generator` does.

    Args:
        checkpoint: What ``read_checkpoint`` returned.
        path: The file, for messages.
        trust: Whether it may name classes of other packages, whose code is then run.
        weights: The averaged weights where there are any, or the raw ones.

    Raises:
        SlimGANError: If its settings build no generator, or another one than its weights are of.
    """
    settings = checkpoint["hyper_parameters"]
    if not trust:
        check_trusted({"generator": settings["generator"]}, path)  # nothing else is built
    try:
        generator = build_recipe(settings["generator"])
        if settings.get("individual") is not None:
            generator = generator.individual(settings["individual"])
    except (ImportError, AttributeError, LookupError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        if (cause := cause_of(error, SlimGANError)) is not None:
            raise cause from error
        reason = " ".join(str(error).split())[:150]
        raise SlimGANError(f"the settings in {path} build no generator: {reason}") from error
    if not isinstance(generator, SlimmableGenerator):
        raise SlimGANError(f"the settings in {path} build no generator, but a {type(generator).__name__}")
    state = checkpoint["state_dict"]
    has_average = weights == "averaged" and any(name.startswith("averaged_generator.") for name in state)
    net = "averaged_generator" if has_average else "generator"
    state = {name: value for name, value in state.items() if name.startswith(f"{net}.")}
    check_weights(nn.ModuleDict({net: generator}), state, path)
    generator.load_state_dict({name.removeprefix(f"{net}."): value for name, value in state.items()})
    use_channels_last(generator, settings.get("channels_last", True))
    if "classes" in checkpoint:
        generator.classes = Classes.from_json(checkpoint["classes"]).sampled(settings["labels"])
    return generator.eval().requires_grad_(False)
