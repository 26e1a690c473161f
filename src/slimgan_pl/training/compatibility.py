"""Checks that the parts of a run fit together."""

import torch

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator

__all__ = ["check_capture", "check_data", "check_fit", "check_parts", "check_training"]


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
            "enough; lower num_downsamples"
        )
    if discriminators.image_size not in (None, generator.image_size):
        raise SlimGANError(
            f"the generator makes images of {generator.image_size} pixels a side but the bank takes "
            f"{discriminators.image_size}; change a schedule or a bottom_size"
        )


def check_data(generator: SlimmableGenerator, data: object) -> None:
    """Raise a SlimGANError where the data do not suit the generator."""
    for name in ("image_size", "image_channels"):
        given, made = getattr(data, name, None), getattr(generator, name)
        if given is not None and given != made:
            raise SlimGANError(f"the data has {name} {given} but the generator has {made}; give both the same")
    classes = getattr(data, "num_classes", None)
    if generator.num_classes and classes is not None and classes != generator.num_classes:
        raise SlimGANError(
            f"the data has {classes} classes but the generator has num_classes {generator.num_classes}; "
            "give both the same"
        )


def check_parts(batch_size: int, micro_batches: int) -> None:
    """Raise a SlimGANError where a batch cannot be split into micro-batches."""
    if batch_size % micro_batches:
        raise SlimGANError(
            f"a batch of {batch_size} images cannot be split into {micro_batches} equal parts; set micro_batches to a "
            "number that divides it"
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


def check_training(max_steps: int, val_check_interval: float) -> None:
    """Raise a SlimGANError for numbers that Lightning understands otherwise."""
    if max_steps == 0:
        raise SlimGANError("--trainer.max_steps is 0; give the number of iterations")
    if val_check_interval == 0:
        raise SlimGANError("--trainer.val_check_interval is 0; leave it out to evaluate only at the end")
