"""Checks that the parts of a run fit together."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping
from torch import nn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator
from slimgan_pl.models.recalibration import BATCH_NORMS
from slimgan_pl.models.sampling import sample_images
from slimgan_pl.training.channel_advice import advise_schedules, near_sizes

__all__ = [
    "check_callbacks",
    "check_capture",
    "check_data",
    "check_fit",
    "check_norms",
    "check_parts",
    "check_trainable",
    "check_training",
    "keep_patience",
]


UNSUITED_CALLBACKS = {  # Lightning's, by their names, with what is wrong with them here; subclasses too
    "WeightAveraging": (  # NOTE: EMAWeightAveraging is one
        "averages the discriminators too, and saves the averages as the weights that training would continue from; "
        "set --model.ema.ramp_up 0.04 in its place"
    ),
    "StochasticWeightAveraging": "needs a single optimizer and its learning rate schedule; leave it out",
    "BaseFinetuning": "freezes a backbone, and these nets have none; leave it out",
    "BatchSizeFinder": "cannot try batches of a GAN; set --data.batch_size, and --model.micro_batches for less memory",
    "GradientAccumulationScheduler": (
        "needs a single optimizer; set --data.batch_size, and --model.micro_batches for less memory"
    ),
    "LearningRateFinder": (
        "needs a single optimizer and loss; set --model.generator_optimizer.lr and --model.discriminator_optimizer.lr"
    ),
    "ModelPruning": "replaces weights that the widths share; train narrower --model.generator.widths",
    "OnExceptionCheckpoint": (  # NOTE: a later fit would resume from its file without a word
        "is not needed; --checkpoint.every_n_iterations saves often, and a run that is interrupted saves by itself"
    ),
    "SpikeDetection": "needs a single loss; leave it out, a run whose losses are not finite ends by itself",
}


def check_callbacks(callbacks: Iterable[Callback]) -> None:
    """Raise a SlimGANError for callbacks of Lightning that cannot serve this training."""
    for callback in callbacks:
        name = type(callback).__name__
        for kind in type(callback).__mro__:
            if kind.__name__ in UNSUITED_CALLBACKS and kind.__module__.startswith("lightning.pytorch."):
                raise SlimGANError(f"the callback {name} {UNSUITED_CALLBACKS[kind.__name__]}")
        if name == "DeviceStatsMonitor" and find_spec("psutil") is None:
            raise SlimGANError(f"the callback {name} needs the package psutil; pip install psutil, or leave it out")


def check_fit(generator: SlimmableGenerator, discriminators: DiscriminatorBank) -> None:
    """Raise a SlimGANError where generator and bank do not fit together."""
    if discriminators.num_branches != len(generator.widths):
        raise SlimGANError(
            f"the generator has {len(generator.widths)} widths but the bank has {discriminators.num_branches} "
            f"discriminators; set num_branches to {len(generator.widths)}"
        )
    for name in ("num_classes", "image_channels"):
        own, other = getattr(generator, name), getattr(discriminators, name)
        if own != other:
            raise SlimGANError(f"the generator has {name} {own} and the bank {other}; give both the same")
    if generator.image_size % discriminators.image_multiple:
        raise SlimGANError(
            f"the generator makes images of {generator.image_size} pixels a side, which the bank cannot halve often "
            f"enough; {schedule_fix(generator, discriminators, generator.image_size)}"
        )
    if discriminators.image_size not in (None, generator.image_size):
        raise SlimGANError(
            f"the generator makes images of {generator.image_size} pixels a side but the bank takes "
            f"{discriminators.image_size}; {schedule_fix(generator, discriminators, generator.image_size)}"
        )


def schedule_fix(generator: SlimmableGenerator, discriminators: DiscriminatorBank | None, image_size: int) -> str:
    """Return what to do so that nets fit an image size."""
    options = "" if discriminators is None else advise_schedules(generator, discriminators, image_size)
    return f"give {options}" if options else "change a schedule or a bottom_size"


def check_data(generator: SlimmableGenerator, data: object, discriminators: DiscriminatorBank | None = None) -> None:
    """Raise a SlimGANError where the data do not suit the generator.

    The bank is for advice alone.
    """
    size = getattr(data, "image_size", None)
    bottom = generator.fixed_bottom
    if size is not None and bottom is not None and size not in (near := near_sizes(size, 2 * bottom)):
        raise SlimGANError(
            f"the data has image_size {size}, and {type(generator).__name__} makes images of "
            f"{2 * bottom}, {4 * bottom}, {8 * bottom} and so on",
            {"data.image_size": f"set {{}} {near[0]} or {near[1]}"},
        )
    if size not in (None, generator.image_size):
        raise SlimGANError(
            f"the data has image_size {size} but the generator has {generator.image_size}",
            {
                "model.generator": f"{schedule_fix(generator, discriminators, size)},",
                "data.image_size": f"set {{}} {generator.image_size}",
            },
        )
    channels = getattr(data, "image_channels", None)
    if channels not in (None, generator.image_channels):
        raise SlimGANError(
            f"the data has image_channels {channels} but the generator has {generator.image_channels}; "
            "give both the same"
        )
    classes = getattr(data, "num_classes", None)
    if generator.num_classes and classes is not None and classes != generator.num_classes:
        raise SlimGANError(
            f"the data has {classes} classes but the generator has num_classes {generator.num_classes}; "
            "give both the same"
        )


def check_parts(batch_size: int, micro_batches: int, multiple: int = 1) -> None:
    """Raise a SlimGANError where a batch cannot be split into micro-batches of whole groups of ``multiple`` images."""
    if batch_size % micro_batches:
        raise SlimGANError(
            f"a batch of {batch_size} images cannot be split into {micro_batches} equal parts; set micro_batches to a "
            "number that divides it"
        )
    part = batch_size // micro_batches
    if part % multiple:
        raise SlimGANError(
            f"the discriminators compare groups of {multiple} images, into which {part} cannot be divided; set "
            f"--data.batch_size to a multiple of {multiple * micro_batches}, or "
            "--model.discriminators.minibatch_group to a number that divides it"
        )


def check_norms(generator: SlimmableGenerator, count: int) -> None:
    """Raise a SlimGANError where a batch norm would see one value.

    ``count`` is the number of images that pass the generator at once in training.
    """
    if count > 1:
        return
    sizes: list[int] = []
    norms = [module for module in generator.modules() if isinstance(module, BATCH_NORMS)]
    hooks = [norm.register_forward_pre_hook(lambda _, args: sizes.append(args[0][0, 0].numel())) for norm in norms]
    try:
        sample_images(generator, 1, generator.widths[0], source=torch.Generator())
    finally:
        for hook in hooks:
            hook.remove()
    if 1 in sizes:
        raise SlimGANError(
            "a batch norm of the generator would see one image of one pixel, which has no deviation; raise "
            "--data.batch_size or --model.generator.bottom_size, or lower --model.micro_batches"
        )


def check_capture(device: torch.device, is_distributed: bool, precision: str) -> None:
    """Raise a SlimGANError where CUDA graphs cannot capture a training step."""
    if device.type != "cuda":
        raise SlimGANError(f"cuda_graphs needs an NVIDIA GPU, and this run is on {device.type}; leave it out")
    if is_distributed:
        raise SlimGANError("cuda_graphs works on one GPU without a strategy such as ddp; leave one of them out")
    if torch.is_anomaly_enabled():
        raise SlimGANError("cuda_graphs cannot look for anomalies; leave --trainer.detect_anomaly out")
    if precision == "16-mixed":
        raise SlimGANError(
            "cuda_graphs cannot capture the loss scaling of 16-mixed; take --trainer.precision bf16-mixed"
        )


def check_trainable(model: nn.Module) -> None:
    """Raise a SlimGANError for a model that is set for inference."""
    if not model.training or not any(parameter.requires_grad for parameter in model.parameters()):
        raise SlimGANError(
            "the model is set for inference, as load_model returns it; call model.train().requires_grad_() before "
            "Trainer.fit"
        )


def check_training(
    max_steps: int, max_epochs: int | None, val_check_interval: float, log_every_n_steps: int | None
) -> None:
    """Raise a SlimGANError for numbers that Lightning understands otherwise."""
    if max_steps == 0:
        raise SlimGANError("--trainer.max_steps is 0; give the number of iterations")
    if max_epochs == 0:
        raise SlimGANError("--trainer.max_epochs is 0; give --trainer.max_steps, the number of iterations")
    if (log_every_n_steps or 0) < 0:
        raise SlimGANError(f"--trainer.log_every_n_steps is {log_every_n_steps}; give at least 1, or 0 for no logs")
    if val_check_interval == 0:
        raise SlimGANError("--trainer.val_check_interval is 0; leave it out to evaluate only at the end")


def keep_patience(callbacks: Iterable[Callback], checkpoint: Mapping[str, Any]) -> None:
    """Put the patience of early stopping into a checkpoint's content.

    NOTE: Lightning's ``EarlyStopping`` replaces its patience by the saved one.
    """
    for callback in callbacks:
        if isinstance(callback, EarlyStopping) and callback.state_key in checkpoint["callbacks"]:
            checkpoint["callbacks"][callback.state_key]["patience"] = callback.patience
