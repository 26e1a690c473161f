"""Reading checkpoints: one file is all that is needed to use a trained net."""

import re
import zipfile
from argparse import ArgumentError
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning.pytorch.cli import instantiate_module
from torch import Tensor

from slimgan_pl.errors import SlimGANError, cause_of
from slimgan_pl.runs.trust import check_trusted
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.files import file_sha256
from slimgan_pl.utils.recipes import with_current_paths

__all__ = ["Source", "build_model", "check_weights", "load_model", "model_of", "read_checkpoint", "read_source"]

SETTINGS = ("hyper_parameters", "datamodule_hyper_parameters", "run")


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return what a checkpoint holds: tensors and plain values; nothing in it is run.

    Raises:
        SlimGANError: If there is no such file, or it is not a checkpoint of this package.
    """
    if not Path(path).is_file():
        raise SlimGANError(f"there is no checkpoint {path}; give the path of a file such as checkpoints/last.ckpt")
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None:  # torch does not look at checksums
                raise zipfile.BadZipFile
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken or foreign file makes the unpickler raise
        raise SlimGANError(f"{path} cannot be read as a checkpoint: it is damaged or of another kind") from error
    if not is_ours(checkpoint):
        raise SlimGANError(f"{path} is not a checkpoint that slimgan fit has written")
    settings = {key: with_current_paths(checkpoint[key]) for key in SETTINGS if key in checkpoint}
    return {**checkpoint, **settings}


def is_ours(content: Any) -> bool:
    """Return whether what a file holds has the form of a checkpoint of this package."""
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
        and all(isinstance(name, str) and is_plain(value) for name, value in weights.items())
        and all(isinstance(name, str) for name in settings)
        and "generator" in settings
    )


def is_plain(value: Any) -> bool:
    """Return whether a value is a tensor of numbers as weights are."""
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta


def check_weights(model: SlimGAN, weights: Mapping[str, Tensor], path: str | Path) -> None:
    """Raise a SlimGANError where the weights of a checkpoint are not those that a model has, or not finite."""
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


def load_model(path: str | Path, trust: bool = False) -> SlimGAN:
    """Build the model of a checkpoint, with its weights, on the CPU and in evaluation mode.

    Args:
        path: The checkpoint.
        trust: Whether it may name classes of other packages, whose code is then run.

    Raises:
        SlimGANError: If the file is missing, broken or foreign, its weights do not fit its settings, or it names an
            untrusted class.
    """
    return model_of(read_checkpoint(path), path, trust)


def model_of(checkpoint: Mapping[str, Any], path: str | Path, trust: bool = False) -> SlimGAN:
    """Build the model of what :func:`read_checkpoint` returned, as :func:`load_model` does.

    Args:
        checkpoint: What the file holds.
        path: The file, for messages.
        trust: Whether it may name classes of other packages, whose code is then run.
    """
    if not trust:
        check_trusted(checkpoint["hyper_parameters"], path)
    settings = {key: value for key, value in checkpoint["hyper_parameters"].items() if not key.startswith("_")}
    model = build_model(settings, path)
    check_weights(model, checkpoint["state_dict"], path)
    model.load_state_dict(checkpoint["state_dict"])
    return model.eval()


def build_model(settings: Mapping[str, Any], path: str | Path) -> SlimGAN:
    """Build a model of settings as plain values, with new weights and no evaluator.

    Args:
        settings: The arguments of :class:`SlimGAN`.
        path: The file that they are from.

    Raises:
        SlimGANError: If they do not fit together.
    """
    try:
        model: SlimGAN = instantiate_module(SlimGAN, {**settings, "evaluator": None})
    except (ArgumentError, ImportError, AttributeError, TypeError, ValueError) as error:
        if (cause := cause_of(error, SlimGANError)) is not None:
            raise cause from error
        raise SlimGANError(f"the settings in {path} build no SlimGAN: {' '.join(str(error).split())[:150]}") from error
    return model


class Source(NamedTuple):
    """A checkpoint: where it lay, its SHA-256 then, what it holds, and its model on the CPU in evaluation mode."""

    path: Path
    sha256: str
    checkpoint: dict[str, Any]
    model: SlimGAN


def read_source(path: str | Path, trust: bool = False) -> Source:
    """Read a checkpoint and build its model.

    Args:
        path: The checkpoint.
        trust: Whether it may name classes of other packages, whose code is then run.

    Raises:
        SlimGANError: If it cannot be read or used, or is replaced meanwhile.
    """
    path = Path(path)
    before = file_sha256(path) if path.is_file() else None
    checkpoint = read_checkpoint(path)
    if before is None or file_sha256(path) != before:
        raise SlimGANError(f"{path} has just been replaced by the run that writes it; export it again")
    return Source(path, before, checkpoint, model_of(checkpoint, path, trust))
