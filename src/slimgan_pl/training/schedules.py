"""Schedules of settings over the images that training has seen."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

from torch import Tensor
from torch.optim import Optimizer

from slimgan_pl.errors import SlimGANError, check_choice, check_range

__all__ = ["NO_SCHEDULES", "Course", "Schedule", "Schedules", "Target", "optimizer_targets", "restore_scheduled"]

Shape = Literal["cosine", "linear", "constant"]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Course of one setting, a pure function of the images seen.

    It starts from the setting's own value, and stays at its end.

    Args:
        end: Last value; None with ``factor`` or for ``constant``.
        factor: Last value as a share of the first, in place of ``end``.
        shape: ``cosine`` (half a period), ``linear``, or ``constant``.
        images: Images until the end; None for all of training.
        warm_up: Images at the beginning in which the setting rises from 0 to its own value, linearly.

    Raises:
        SlimGANError: If the numbers do not make a schedule.
    """

    end: float | None = None
    factor: float | None = None
    shape: Shape = "cosine"
    images: int | None = None
    warm_up: int = 0

    def __post_init__(self) -> None:
        check_choice("the schedule's shape", self.shape, get_args(Shape))
        check_range("the schedule's warm_up", self.warm_up, 0)
        if self.images is not None:
            check_range("the schedule's images", self.images, self.warm_up + 1)
            if self.shape == "constant":
                raise SlimGANError("a schedule of shape constant has no end; leave its images out")
        for name in ("end", "factor"):
            if getattr(self, name) is not None:
                check_range(f"the schedule's {name}", getattr(self, name), 0)
        given = (self.end is not None) + (self.factor is not None)
        if given != (self.shape != "constant"):
            wanted = "neither end nor factor" if self.shape == "constant" else "either end or factor"
            raise SlimGANError(f"a schedule of shape {self.shape} has {given} of end and factor; give {wanted}")

    def value(self, start: float, seen: float, total: float) -> float:
        """Return the setting's value.

        Args:
            start: The setting's own value.
            seen: Images seen so far.
            total: Images of all of training, the end of a schedule without ``images``.
        """
        if seen < self.warm_up:
            return start * seen / self.warm_up
        if self.shape == "constant":
            return start
        end = start * self.factor if self.end is None else self.end  # type: ignore[operator]
        length = (total if self.images is None else self.images) - self.warm_up
        progress = min(1.0, (seen - self.warm_up) / length) if length > 0 else 1.0
        if self.shape == "cosine":
            progress = (1 - math.cos(math.pi * progress)) / 2
        return start + (end - start) * progress


@dataclasses.dataclass(frozen=True)
class Schedules:
    """Schedules of a run; None leaves a setting as it is.

    Args:
        lr: Learning rates of both optimizers.
        beta1: First beta of both optimizers.
        beta2: Second beta of both optimizers.
        gamma: Weight of the gradient penalty.
        half_life: Half-life of the averaged weights.
        p: Probability of the augmentation.
    """

    lr: Schedule | None = None
    beta1: Schedule | None = None
    beta2: Schedule | None = None
    gamma: Schedule | None = None
    half_life: Schedule | None = None
    p: Schedule | None = None

    @property
    def given(self) -> dict[str, Schedule]:
        """Schedules that are there, by their names."""
        schedules = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: schedule for name, schedule in schedules.items() if schedule is not None}


NO_SCHEDULES = Schedules()


class Target(NamedTuple):
    """Setting that a schedule moves.

    Attributes:
        name: The schedule's name.
        start: The setting's own value.
        assign: Sets it.
        side: ``generator_`` or ``discriminator_`` of an optimizer's setting, else empty.
    """

    name: str
    start: float
    assign: Callable[[float], object]
    side: str = ""


class Course:
    """Scheduled settings of a run, set before each iteration.

    Args:
        schedules: The schedules.
        iterations: Iterations of all of training, or infinity.
        targets: Settings that they may move.

    Raises:
        SlimGANError: If a schedule has no setting to move, no end, or an end out of range.
    """

    def __init__(self, schedules: Schedules, iterations: float, targets: Iterable[Target]) -> None:
        self.iterations = iterations
        self.targets = [(schedules.given[each.name], each) for each in targets if each.name in schedules.given]
        for schedule, target in self.targets:
            check_end(schedule, target)
        found = {target.name for _, target in self.targets}
        for name, schedule in schedules.given.items():
            if name not in found:
                raise SlimGANError(f"there is nothing for the schedule of {name} to move; {REMEDIES[name]}")
            if schedule.images is None and schedule.shape != "constant" and math.isinf(iterations):
                raise SlimGANError(
                    f"the schedule of {name} ends with training, which has no end; set --trainer.max_steps or "
                    f"--model.schedules.{name}.images"
                )

    def set(self, seen: int, batch: int) -> dict[str, float]:
        """Set all settings and return their values by the schedules' names.

        Args:
            seen: Images of all iterations before this one.
            batch: Images of an iteration.
        """
        values: dict[str, float] = {}
        for schedule, target in self.targets:
            value = schedule.value(target.start, seen, self.iterations * batch)
            target.assign(value)
            values.setdefault(f"{target.side}{target.name}", value)
        return values


def check_end(schedule: Schedule, target: Target) -> None:
    """Raise a SlimGANError for an end that the setting cannot have, or for a share of nothing."""
    name = f"--model.schedules.{target.name}"
    if schedule.factor is not None and target.start == 0:
        raise SlimGANError(f"{name}.factor is a share of the setting's own value, which is 0; give {name}.end")
    last = schedule.value(target.start, math.inf, 1)
    check_range(f"the end of the schedule of {target.name}", last, 0, LIMITS.get(target.name, math.inf))


LIMITS = {"beta1": 0.9999999, "beta2": 0.9999999, "p": 1.0}  # betas are below 1

REMEDIES = {  # for schedules without a setting to move
    "lr": "take optimizers with a learning rate, or leave --model.schedules.lr out",
    "beta1": "take optimizers with betas, such as Adam, or leave --model.schedules.beta1 out",
    "beta2": "take optimizers with betas, such as Adam, or leave --model.schedules.beta2 out",
    "half_life": "set --model.ema.half_life, its value at the beginning, or leave --model.schedules.half_life out",
    "p": "set --model.augmentation.transforms without a target, or leave --model.schedules.p out",
}


def optimizer_targets(optimizer: Optimizer, settings: Sequence[Mapping[str, Any]], side: str) -> Iterator[Target]:
    """Yield what schedules may move of an optimizer.

    Args:
        optimizer: The optimizer.
        settings: Configured settings of each of its parameter groups.
        side: ``generator_`` or ``discriminator_``.
    """
    for group, own in zip(optimizer.param_groups, settings, strict=True):
        if "lr" in own:
            yield Target("lr", float(own["lr"]), partial(set_learning_rate, group), side)
        for number, beta in enumerate(own.get("betas", ())):
            yield Target(f"beta{number + 1}", float(beta), partial(set_beta, group, number), side)


def restore_scheduled(
    states: Sequence[Mapping[str, Any]], settings: Sequence[Sequence[Mapping[str, Any]]], schedules: Schedules
) -> None:
    """Put the configured values of scheduled settings into saved states of optimizers.

    A run that resumes sets the scheduled ones anew, and one that resumes without the schedule has its own.
    """
    for state, own in zip(states, settings, strict=False):  # none where optimizers are not saved
        for group, configured in zip(state["param_groups"], own, strict=True):
            if schedules.lr is not None:
                group["lr"] = configured["lr"]
            if schedules.beta1 is not None or schedules.beta2 is not None:
                group["betas"] = configured["betas"]


def set_learning_rate(group: dict[str, Any], value: float) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(value)
    else:
        group["lr"] = value


def set_beta(group: dict[str, Any], number: int, value: float) -> None:
    betas = list(group["betas"])
    betas[number] = value
    group["betas"] = tuple(betas)
