"""Recalibration of batch-norm statistics to the current weights of a generator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from slimgan_pl.errors import MAX_SEED, SlimGANError, check_range
from slimgan_pl.layers import SwitchableBatchNorm2d
from slimgan_pl.models.generator import Inputs, SlimmableGenerator
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["BATCH_NORMS", "Change", "has_statistics", "other_buffers", "recalibrate"]

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
BATCH_NORMS = get_args(BatchNorm)

MAX_BATCH = 1_000_000


class Change(NamedTuple):
    """Distance of a width's statistics from the measured ones.

    ``mean`` is the root mean square over channels of the shift of the mean, in measured standard deviations;
    ``deviation`` that of the ratio of the standard deviations less 1; ``images`` the root mean square change of a pixel
    in [-1, 1] on the same latents.
    """

    width: float
    mean: float
    deviation: float
    images: float


@torch.no_grad()
def recalibrate(
    generator: SlimmableGenerator, num_batches: int = 100, batch_size: int = 64, seed: int = 0
) -> list[Change]:
    """Replace batch-norm statistics by their mean over batches of latents.

    Running statistics lag behind the weights; measured ones fit the current weights (Yu and Huang 2019,
    "Universally Slimmable Networks and Improved Training Techniques"). All widths see the same latents, and labels
    as they are sampled where there are classes. Weights, other buffers, mode and momenta stay.

    Args:
        generator: Any slimmable generator.
        num_batches: Number of batches.
        batch_size: Latents in each; the batch size of training gives the statistics that training normalised by.
        seed: Seed of the latents and labels.

    Returns:
        A row per width, narrow to wide.

    Raises:
        SlimGANError: If the generator has no batch norms, a number is out of range, or a statistic is not finite; then
            all stay as they were.
    """
    check_range("recalibration's num_batches", num_batches, 1)
    check_range("recalibration's batch_size", batch_size, 2, MAX_BATCH)
    check_range("recalibration's seed", seed, 0, MAX_SEED)
    if not has_statistics(generator):
        raise SlimGANError("this generator has no batch norms; there is nothing to recalibrate")
    old_statistics, old_images = statistics(generator), probe(generator, seed)
    with restoring_on_failure(generator):
        others = other_buffers(generator)
        before = [buffer.clone() for buffer in others]
        update_bn(((inputs,) for inputs in batches(generator, num_batches, batch_size, seed)), AllWidths(generator))
        for buffer, value in zip(others, before, strict=True):
            buffer.copy_(value)
        if not all(buffer.isfinite().all() for buffer in generator.buffers()):
            raise SlimGANError(
                "batch-norm statistics measured anew are not finite, so the old ones stay; take an earlier checkpoint"
            )
    changes = []
    new_statistics, new_images = statistics(generator), probe(generator, seed)
    both = zip(generator.widths, old_statistics, new_statistics, old_images, new_images, strict=True)
    for width, old, new, was, now in both:
        differences = (old[0] - new[0]) / new[1], old[1] / new[1] - 1, now - was
        changes.append(Change(width, *(float(values.square().mean().sqrt()) for values in differences)))
    return changes


def has_statistics(generator: nn.Module) -> bool:
    """Return whether a net has batch-norm statistics."""
    return bool(batch_norms(generator))


def other_buffers(net: nn.Module) -> list[Tensor]:
    """Return the buffers that are no statistics of batch norms."""
    statistics = {id(buffer) for norm in batch_norms(net) for buffer in norm.buffers()}
    return [buffer for buffer in net.buffers() if id(buffer) not in statistics]


def batch_norms(net: nn.Module) -> list[BatchNorm]:
    """Return the batch norms that keep statistics."""
    return [module for module in net.modules() if isinstance(module, BATCH_NORMS) and module.track_running_stats]


@contextmanager
def restoring_on_failure(generator: SlimmableGenerator) -> Iterator[None]:
    """Restore statistics, mode and momenta after any error, even an interruption."""
    training, buffers = generator.training, {name: buffer.clone() for name, buffer in generator.named_buffers()}
    momenta = {norm: norm.momentum for norm in batch_norms(generator)}
    try:
        yield
    except BaseException:
        generator.load_state_dict(buffers, strict=False)
        generator.train(training)
        for norm, momentum in momenta.items():
            norm.momentum = momentum
        raise


class AllWidths(nn.Module):
    """Every width of a generator."""

    def __init__(self, generator: SlimmableGenerator) -> None:
        super().__init__()
        self.generator = generator
        self.training = generator.training

    def forward(self, inputs: Inputs) -> list[Tensor]:
        """Return images ``(N, C, H, W)`` in [-1, 1] of each width."""
        return [self.generator(*inputs, width=width) for width in self.generator.widths]


def batches(generator: SlimmableGenerator, num_batches: int, batch_size: int, seed: int) -> Iterator[Inputs]:
    """Yield batches of inputs, the same on every device."""
    source = torch.Generator().manual_seed(seed)
    for _ in range(num_batches):
        yield generator.draw_inputs(batch_size, source)


def probe(generator: SlimmableGenerator, seed: int) -> list[Tensor]:
    """Return 64 images of each width in evaluation mode."""
    with evaluating(generator):
        images: list[Tensor] = AllWidths(generator)(next(batches(generator, 1, 64, seed)))
    return images


def statistics(generator: SlimmableGenerator) -> list[tuple[Tensor, Tensor]]:
    """Return mean and standard deviation of all channels of each width.

    Batch norms that do not switch have the same statistics for every width.
    """
    switches = [module for module in generator.modules() if isinstance(module, SwitchableBatchNorm2d)]
    switched = {norm for switch in switches for norm in switch.norms}
    shared = [norm for norm in batch_norms(generator) if norm not in switched]
    result = []
    for number in range(len(generator.widths)):
        norms: list[Any] = [*(switch.norms[number] for switch in switches), *shared]
        mean = torch.cat([norm.running_mean for norm in norms])
        variance = torch.cat([norm.running_var + norm.eps for norm in norms])
        result.append((mean, variance.sqrt()))
    return result
