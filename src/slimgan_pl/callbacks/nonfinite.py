"""End of a run whose numbers are no longer finite."""

import math

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.errors import SlimGANError
from slimgan_pl.training.gradient_norms import NORM
from slimgan_pl.training.iteration import Status
from slimgan_pl.training.module import Report, TrainedModule

__all__ = ["NonFiniteError", "StopOnNonFinite", "check_report", "check_state"]


class NonFiniteError(SlimGANError):
    """NaN or infinity in training, raised by all processes together."""

    def __init__(self, wrong: str, iteration: int) -> None:
        super().__init__(
            f"{wrong} at iteration {iteration}; lower the learning rate, and resume from the last checkpoint or start "
            "again"
        )


class StopOnNonFinite(Callback):
    """Stop training at the first loss or gradient that is not finite.

    The checkpoints from before it stay. On a GPU an iteration is checked while the next one runs, so the device never
    waits.
    """

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        report = pl_module.settled_report if isinstance(pl_module, TrainedModule) else None
        if report is not None:
            check_report(pl_module, report)


def check_report(model: LightningModule, report: Report) -> None:
    """Raise a NonFiniteError where a number of an iteration is not finite."""
    status = Status(*report.status.tolist())
    if status.metrics or status.discriminator_gradients or status.generator_gradients:
        raise NonFiniteError(first_wrong(model, report, status), report.iteration)


def first_wrong(model: LightningModule, report: Report, status: Status) -> str:
    """Name the first number that was not finite, losses before their gradients."""
    assert isinstance(model, TrainedModule)
    losses = {name: by_width for name, by_width in report.metrics.items() if not name.endswith(NORM)}
    values = {name: float(value) for name, value in model.per_width(losses).items()}
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    of_generator = [name for name in wrong if name.startswith(("generator", "distillation"))]
    if status.discriminator_gradients and wrong == of_generator:
        return "a gradient of the discriminators is not finite"
    for name in wrong:
        metric, width = name.split("/")
        return f"the {metric.replace('_', ' ')} of width {width} is {values[name]}"
    return "a loss of another process is not finite" if status.metrics else "a gradient of the generator is not finite"


def check_state(trainer: Trainer, model: LightningModule) -> None:
    """Raise a NonFiniteError unless the state is finite on all processes."""
    if isinstance(model, TrainedModule) and model.reports:
        check_report(model, model.reports[-1])
    state = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
    finite = torch.stack([value.isfinite().all() for value in state.values()])
    if trainer.strategy.reduce_boolean_decision(bool(finite.all())):
        return
    wrong = [name for name, is_finite in zip(state, finite.tolist(), strict=True) if not is_finite]
    raise NonFiniteError(f"{wrong[0] if wrong else 'a weight of another process'} is not finite", trainer.global_step)
