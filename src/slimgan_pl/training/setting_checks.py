"""Checks of the settings of training."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from slimgan_pl.errors import SlimGANError, check_choice, check_range
from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator
from slimgan_pl.models.classes import LabelSampling
from slimgan_pl.models.recalibration import has_statistics
from slimgan_pl.training.augmentation import Augmentation
from slimgan_pl.training.ema import EMA
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, DistillTarget, LossName
from slimgan_pl.training.penalties import Penalty
from slimgan_pl.training.schedules import Schedules

__all__ = [
    "LatentSampling",
    "check_derivatives",
    "check_labels",
    "check_precision",
    "check_recomputed",
    "check_settings",
]

LatentSampling = Literal["independent", "shared"]

CHOICES = {
    "adversarial_loss": LossName,
    "distill_target": DistillTarget,
    "latents": LatentSampling,
    "labels": LabelSampling,
}
LEAST = {
    "critic_steps": 1,
    "micro_batches": 1,
    "distill_weight": 0,
    "seed": 0,
    "recalibration": 0,
    "centering": 0,
    "recomputed_stages": 0,
}
GROUPS = {"penalty": Penalty, "ema": EMA, "augmentation": Augmentation, "schedules": Schedules}


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raise a SlimGANError for a setting that is out of range or of another class.

    Args:
        settings: Arguments of ``SlimGAN`` by their names.
    """
    for name, choices in CHOICES.items():
        check_choice(name, settings[name], get_args(choices))
    for name, least in LEAST.items():
        check_range(name, settings[name], least)
    for name, kind in GROUPS.items():
        if not isinstance(settings[name], kind):
            given = type(settings[name]).__name__
            raise SlimGANError(f"{name} is a {given}; give an object of slimgan_pl.{kind.__name__}")


def check_recomputed(count: int, generator: SlimmableGenerator, discriminators: DiscriminatorBank) -> None:
    """Raise a SlimGANError where stages cannot be computed again: batch norms would count each batch twice."""
    if count and has_statistics(discriminators):
        raise SlimGANError("recomputed_stages needs discriminators without batch norms; leave it out")
    if count and has_statistics(generator):
        raise SlimGANError(
            "recomputed_stages needs a generator without batch norms, such as R3Generator or StyleGAN2Generator; "
            "leave it out, and set --model.free_graphs true for less memory"
        )


def check_labels(labels: LabelSampling, adversarial_loss: LossName) -> None:
    """Raise a SlimGANError where a conditional net's labels cannot be sampled so."""
    if labels == "uniform" and ADVERSARIAL_LOSSES[adversarial_loss].is_relativistic:
        raise SlimGANError(
            "labels uniform has no effect on a relativistic loss, whose fakes have the labels of the training images; "
            "set --model.labels data"
        )


def check_derivatives(penalty: Penalty, compile: bool, cuda_graphs: bool) -> None:
    """Raise a SlimGANError where an exact penalty cannot have its second derivatives."""
    for name, is_set in {"compile": compile, "cuda_graphs": cuda_graphs}.items():
        if is_set and penalty.method == "exact":
            raise SlimGANError(
                f"an exact gradient penalty needs second derivatives, which {name} does not have; set "
                f"--model.penalty.method finite-difference, or leave {name} out"
            )


def check_precision(precision: str, parts: Iterable[str]) -> None:
    """Raise a SlimGANError where half the digits are too few for parts of the training.

    Small steps of an average or of a probability are rounded to nothing, and so are finite differences.
    """
    for part in parts:
        if precision in ("bf16-true", "16-true"):
            raise SlimGANError(
                f"{part} needs float32, and --trainer.precision {precision} has none; take bf16-mixed or leave it out"
            )
