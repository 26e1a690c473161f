"""Metrics of an update, by width."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from slimgan_pl.training.losses import AdversarialLoss

__all__ = ["Metrics", "average_parts", "logit_metrics"]

Metrics = dict[str, dict[int, Tensor]]  # name -> index of a width -> a number without a graph


@torch.no_grad()
def logit_metrics(loss: AdversarialLoss, logits: Mapping[int, tuple[Tensor, Tensor]]) -> Metrics:
    """Return metrics of the real and fake logits of each width."""
    return {
        "real_logits": {index: real.mean() for index, (real, _) in logits.items()},
        "fake_logits": {index: fake.mean() for index, (_, fake) in logits.items()},
        "real_sign": {index: loss.real_sign(real, fake) for index, (real, fake) in logits.items()},
    }


def average_parts(parts: Sequence[Metrics]) -> Metrics:
    """Return the mean metrics of equal parts."""
    if len(parts) == 1:
        return parts[0]
    return {
        name: {index: torch.stack([part[name][index] for part in parts]).mean() for index in values}
        for name, values in parts[0].items()
    }
