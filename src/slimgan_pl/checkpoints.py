"""Reading checkpoints: one file is all that is needed to use a trained net."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.cli import instantiate_module

from slimgan_pl.errors import UserError
from slimgan_pl.slimgan import SlimGAN

__all__ = ["load_model", "read_checkpoint"]


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return what a checkpoint holds: tensors and plain values; nothing in it is run.

    Raises:
        UserError: If there is no such file, or it is not a checkpoint of this package.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no checkpoint {path}; give the path of a file such as checkpoints/last.ckpt")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken or foreign file makes the unpickler raise
        raise UserError(f"{path} cannot be read as a checkpoint: it is damaged or of another kind") from error
    if not isinstance(checkpoint, dict) or "generator" not in checkpoint.get("hyper_parameters", {}):
        raise UserError(f"{path} is not a checkpoint that slimgan fit has written")
    return checkpoint


def load_model(path: str | Path) -> SlimGAN:
    """Build the model of a checkpoint, with its weights, on the CPU and in evaluation mode.

    Raises:
        UserError: If the file is missing, broken or foreign.
    """
    checkpoint = read_checkpoint(path)
    settings = {key: value for key, value in checkpoint["hyper_parameters"].items() if not key.startswith("_")}
    model: SlimGAN = instantiate_module(SlimGAN, {**settings, "evaluator": None})
    model.load_state_dict(checkpoint["state_dict"])
    return model.eval()
