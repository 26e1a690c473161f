"""Latents, labels and other random numbers of an iteration."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.discriminator_update import WidthInputs
from slimgan_pl.training.real_and_fake import Randomness
from slimgan_pl.training.updates import Updates

__all__ = ["IterationInputs", "iteration_seed", "sample_batches", "sample_inputs"]


class IterationInputs(NamedTuple):
    """Inputs of the updates of an iteration.

    Attributes:
        critic: Inputs of each discriminator update.
        generator: Inputs of the generator update.
        distilled: Its inputs for distillation; None distils the images of ``generator``.
        critic_randomness: Other random numbers of each discriminator update.
        generator_randomness: Those of the generator update.
    """

    critic: Sequence[WidthInputs]
    generator: WidthInputs
    distilled: Inputs | None
    critic_randomness: Sequence[Randomness]
    generator_randomness: Randomness


def sample_inputs(
    updates: Updates,
    critic_steps: int,
    real: Tensor,
    labels: Sequence[Tensor | None],
    source: torch.Generator,
    penalize: bool,
) -> IterationInputs:
    """Sample the inputs of each update of an iteration.

    Shared latents are one batch for all widths, and the generator update takes those of the last discriminator update,
    also for distillation. A relativistic loss gives the fakes the labels of the real images.

    Args:
        updates: The updates.
        critic_steps: Discriminator updates.
        real: Real images ``(N, C, H, W)`` of one update.
        labels: Labels ``(N,)`` of the real images of each discriminator update, and last of the generator update if it
            takes some of its own; or None each.
        source: Source of randomness.
        penalize: Whether the discriminator updates add their gradient penalty.
    """
    net, num_widths, batch_size = updates.generator, len(updates.generator.widths), len(real)
    given = labels if updates.objective.loss.is_relativistic else [None] * len(labels)
    is_shared = updates.objective.shared_latents
    count = 1 if is_shared else num_widths
    critic = [sample_batches(net, count, batch_size, source, own_labels) for own_labels in given[:critic_steps]]
    distilled: Inputs | None = None
    if is_shared:
        inputs = [dict.fromkeys(range(num_widths), batch) for (batch,) in critic]
        own = inputs[-1]
    else:
        inputs = [dict(enumerate(batches)) for batches in critic]
        *batches, distilled = sample_batches(net, num_widths + 1, batch_size, source, given[-1])
        own = dict(enumerate(batches))
    randomness = [sample_randomness(updates, real, source, True, penalize) for _ in range(critic_steps)]
    last = sample_randomness(updates, real, source, updates.objective.loss.is_relativistic, False)
    randomness = [each._replace(noise=sample_noise(updates, batch_size, source)) for each in randomness]
    if is_shared:
        last = last._replace(noise=randomness[-1].noise)
    else:
        of_widths, of_distilled = sample_noise(updates, batch_size, source), net.draw_noise(batch_size, source)
        last = last._replace(noise=of_widths, distilled=of_distilled)
    return IterationInputs(inputs, own, distilled, randomness, last)


def sample_randomness(
    updates: Updates, real: Tensor, source: torch.Generator, with_real: bool, penalize: bool
) -> Randomness:
    """Sample the random numbers of an update beside latents and noise.

    Fakes of shared latents are augmented alike at all widths.
    """
    batch_size, num_widths = len(real), len(updates.generator.widths)
    of_real, of_fakes, directions = None, None, None
    if updates.augmenter is not None:
        sample = updates.augmenter.sample
        of_real = sample(real, source) if with_real else None
        if updates.objective.shared_latents:
            of_fakes = dict.fromkeys(range(num_widths), sample(real, source))
        else:
            of_fakes = {index: sample(real, source) for index in range(num_widths)}
    if penalize and updates.penalty.takes_directions:
        count = updates.micro_batches * updates.penalty.count(
            batch_size // updates.micro_batches, updates.bank.batch_multiple
        )
        shape = (count, *real.shape[1:])
        # in float32, as latents are, so that the numbers are the same in each precision
        normals = torch.randn(shape, generator=source, device=source.device, dtype=torch.float32)
        directions = normals.to(real.dtype)
    return Randomness(of_real, of_fakes, directions)


def sample_noise(updates: Updates, count: int, source: torch.Generator) -> dict[int, Any]:
    """Sample the generator's noise of an update by width; with shared latents it is the same at all widths."""
    net, is_shared = updates.generator, updates.objective.shared_latents
    noise = net.draw_noise(count, source)
    if noise is None:
        return {}
    others = range(1, len(net.widths))
    return {0: noise} | {index: noise if is_shared else net.draw_noise(count, source) for index in others}


def sample_batches(
    net: SlimmableGenerator, count: int, batch_size: int, source: torch.Generator, labels: Tensor | None = None
) -> list[Inputs]:
    """Sample batches of inputs, with the same labels ``(batch_size,)`` if given."""
    repeated = None if labels is None else labels.repeat(count)
    latents, sampled = net.draw_inputs(count * batch_size, source, repeated)
    split = [None] * count if sampled is None else sampled.split(batch_size)
    return [Inputs(*pair) for pair in zip(latents.split(batch_size), split, strict=True)]


def iteration_seed(seed: int, iteration: int, rank: int) -> int:
    """Return the seed of an iteration's random numbers on one process.

    A pure function makes resuming exact.
    """
    return int(np.random.SeedSequence([seed, iteration, rank]).generate_state(1, np.uint64)[0] >> np.uint64(1))
