"""Models of checkpoints: one file is enough to use a trained net."""

from argparse import ArgumentError
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lightning.pytorch.cli import instantiate_module

from slimgan_pl.errors import SlimGANError, cause_of
from slimgan_pl.runs.checkpoint_reader import check_weights, read_checkpoint
from slimgan_pl.runs.folder import find_checkpoint
from slimgan_pl.runs.trust import check_trusted
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.files import file_sha256
from slimgan_pl.utils.weights import Weights

__all__ = ["Source", "build_model", "check_weights", "load_model", "model_of", "read_checkpoint", "read_source"]


def load_model(path: str | Path, trust: bool = False, weights: Weights = "averaged") -> SlimGAN:
    """Build the model of a checkpoint, with its weights.

    It is on the CPU, in evaluation mode and without gradients: ``model.train().requires_grad_()`` makes it ready for
    training, and ``Trainer.fit(model, data, ckpt_path=path)`` resumes the training of one.

    Args:
        path: The checkpoint, or a run's folder, of which the newest is taken.
        trust: Whether it may name classes of other packages, whose code is then run.
        weights: Which weights generate images: the averaged ones where there are any, or the raw ones.

    Raises:
        SlimGANError: If the file is missing, broken or foreign, its weights do not fit its settings, or it names an
            untrusted class.
    """
    path = find_checkpoint(path)
    return model_of(read_checkpoint(path), path, trust, weights)


def model_of(
    checkpoint: Mapping[str, Any], path: str | Path, trust: bool = False, weights: Weights = "averaged"
) -> SlimGAN:
    """Build the model of a checkpoint's content, as :func:`load_model` does.

    Args:
        checkpoint: What ``read_checkpoint`` returned.
        path: The file, for messages.
        trust: Whether it may name classes of other packages, whose code is then run.
        weights: Which weights generate images.
    """
    if not trust:
        check_trusted({**checkpoint["hyper_parameters"], "evaluator": None}, path)  # which is not built
    settings = {key: value for key, value in checkpoint["hyper_parameters"].items() if not key.startswith("_")}
    model = build_model(settings, path)
    check_weights(model, checkpoint["state_dict"], path)
    model.load_state_dict(checkpoint["state_dict"])
    model.on_load_checkpoint(dict(checkpoint))
    model.weights = weights
    return model.eval().requires_grad_(False)


def build_model(settings: Mapping[str, Any], path: str | Path) -> SlimGAN:
    """Build a model of plain settings, with new weights and no evaluator.

    Args:
        settings: The arguments of :class:`SlimGAN`.
        path: The file that holds them.

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
    """Checkpoint as it was read: path, SHA-256, content and model.

    The model is on the CPU in evaluation mode.
    """

    path: Path
    sha256: str
    checkpoint: dict[str, Any]
    model: SlimGAN


def read_source(path: str | Path, trust: bool = False, weights: Weights = "averaged") -> Source:
    """Read a checkpoint and build its model.

    Args:
        path: The checkpoint.
        trust: Whether it may name classes of other packages, whose code is then run.
        weights: Which weights generate images.

    Raises:
        SlimGANError: If it cannot be read or used, or is replaced while it is read.
    """
    path = Path(path)
    before = file_sha256(path) if path.is_file() else None
    checkpoint = read_checkpoint(path)
    if before is None or file_sha256(path) != before:
        raise SlimGANError(f"{path} has just been replaced by the run that writes it; export it again")
    return Source(path, before, checkpoint, model_of(checkpoint, path, trust, weights))
