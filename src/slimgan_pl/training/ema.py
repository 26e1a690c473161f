"""Averaged generator: an exponential moving average of the weights (EMA)."""

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models.recalibration import other_buffers

__all__ = ["EMA", "NO_EMA", "adapt_state", "update_average"]


@dataclasses.dataclass(frozen=True)
class EMA:
    """Settings of the averaged generator; without any there is none.

    Averaging commutes with slicing, so one averaged generator serves every width.

    Args:
        half_life: Images after which a weight counts half; None sets no limit to ``ramp_up``.
        ramp_up: Half-life as a share of the images seen so far, such as 0.05, so that early weights are soon
            forgotten (Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data"); None does
            without.

    Raises:
        SlimGANError: If a number is not above 0.
    """

    half_life: float | None = None
    ramp_up: float | None = None

    def __post_init__(self) -> None:
        for name in ("half_life", "ramp_up"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SlimGANError(f"the EMA's {name} is {value}; give more than 0, or leave it out")

    @property
    def is_used(self) -> bool:
        """True if there is an averaged generator."""
        return self.half_life is not None or self.ramp_up is not None

    def decay(self, batch: int, seen: float, half_life: float | None) -> float:
        """Return the weight of the old average in an update.

        Args:
            batch: Images of the iteration.
            seen: Images of all iterations before it.
            half_life: The current half-life in images, which a schedule may have changed.
        """
        early = None if self.ramp_up is None else self.ramp_up * seen
        images = min(limit for limit in (half_life, early) if limit is not None)
        return 0.5 ** (batch / images) if images > 0 else 0.0


NO_EMA = EMA()


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Move averaged weights towards those of a net.

    ``average += (1 - decay) * (weights - average)``. Buffers are copied, but for batch-norm statistics: those of
    averaged weights are measured anew where they are needed.
    """
    move = get_ema_multi_avg_fn(decay)
    move(list(average.parameters()), list(net.parameters()), None)
    for buffer, value in zip(other_buffers(average), other_buffers(net), strict=True):
        buffer.copy_(value)


def adapt_state(state: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return saved weights for a model that averages or augments otherwise.

    New averages begin with the raw weights, and other new values with their own; those without use are dropped.

    Args:
        state: Saved weights.
        present: The model's own.
    """
    optional = "averaged_generator.", "augmenter.", "last_penalty"
    kept = {name: value for name, value in state.items() if name in present or not name.startswith(optional)}
    for name, value in present.items():
        if name.startswith(optional) and name not in kept:
            kept[name] = state.get(name.removeprefix("averaged_"), value)
    return kept
