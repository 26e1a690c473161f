"""The paper's iteration as its description reads: the loop that the training step is measured against.

Each width's discriminator sees the real images anew, each forward runs its own power iteration of the spectral norm,
the losses of all widths are summed with all their graphs, the generator's backward pass goes through discriminators
whose gradients are then discarded, and the 1x1 shortcuts run on the larger side.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from slimgan_pl.models import DiscriminatorBank, ResNetDiscriminatorBank, ResNetGenerator, SlimmableGenerator
from slimgan_pl.models.resnet import ResNetDiscriminatorBlock, ResNetGeneratorBlock, upsample
from slimgan_pl.training.losses import hinge_discriminator, linear_generator

__all__ = ["plain_iteration", "with_plain_blocks"]


def plain_iteration(
    generator: SlimmableGenerator,
    bank: DiscriminatorBank,
    optimizers: tuple[Optimizer, Optimizer],
    real: Tensor,
    labels: Tensor | None,
    critic_steps: int,
    distill_weight: float,
) -> None:
    """Take one iteration on real images ``(critic_steps * N, C, H, W)``."""
    optimize_generator, optimize_bank = optimizers
    batch_size = len(real) // critic_steps

    def sample() -> tuple[Tensor, Tensor | None]:
        latents = torch.randn(batch_size, generator.latent_dim, device=real.device)
        if not generator.num_classes:
            return latents, None
        return latents, torch.randint(generator.num_classes, (batch_size,), device=real.device)

    for step in range(critic_steps):
        part = slice(step * batch_size, (step + 1) * batch_size)
        real_labels = None if labels is None else labels[part]
        optimize_bank.zero_grad()
        loss = torch.zeros((), device=real.device)
        for branch, width in enumerate(generator.widths):
            latents, fake_labels = sample()
            with torch.no_grad():
                fake = generator(latents, fake_labels, width=width)
            logits = bank(real[part], real_labels, branch=branch), bank(fake, fake_labels, branch=branch)
            loss = loss + hinge_discriminator(*logits)
        loss.backward()
        optimize_bank.step()
    optimize_generator.zero_grad()
    loss = torch.zeros((), device=real.device)
    for branch, width in enumerate(generator.widths):
        latents, fake_labels = sample()
        fake = generator(latents, fake_labels, width=width)
        loss = loss + linear_generator(bank(fake, fake_labels, branch=branch))
    latents, fake_labels = sample()
    outputs = [generator(latents, fake_labels, width=width) for width in generator.widths]
    for student, teacher in pairwise(outputs):
        loss = loss + distill_weight / (len(outputs) - 1) * F.mse_loss(student, teacher.detach())
    loss.backward()
    optimize_generator.step()


class PlainGeneratorBlock(ResNetGeneratorBlock):
    """The block with its shortcut as in the paper's figure."""

    def forward(self, x: Tensor, width: float, labels: Tensor | None) -> Tensor:
        h = self.conv1(upsample(F.relu(self.norm1(x, width, labels))), width)
        h = self.conv2(F.relu(self.norm2(h, width, labels)), width)
        result: Tensor = h + self.shortcut(upsample(x), width)
        return result


class PlainDiscriminatorBlock(ResNetDiscriminatorBlock):
    """The block with its shortcut as in the paper's figure; the first pools before it convolves there too."""

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.first else F.relu(x)
        shortcut = h if self.rectified_shortcut else x
        if self.first and self.downsample:
            shortcut = self.shortcut(F.avg_pool2d(shortcut, 2))
        else:
            shortcut = self.shortcut(shortcut)
            shortcut = F.avg_pool2d(shortcut, 2) if self.downsample else shortcut
        h = self.conv2(F.relu(self.conv1(h)))
        return (F.avg_pool2d(h, 2) if self.downsample else h) + shortcut


def with_plain_blocks(generator: SlimmableGenerator, bank: DiscriminatorBank) -> None:
    """Give residual nets their plain blocks; DCGANs have no others."""
    plain: dict[type, Callable[..., object]] = {
        ResNetGeneratorBlock: PlainGeneratorBlock,
        ResNetDiscriminatorBlock: PlainDiscriminatorBlock,
    }
    if isinstance(generator, ResNetGenerator) and isinstance(bank, ResNetDiscriminatorBank):
        for block in (*generator.modules(), *bank.modules()):
            if type(block) in plain:
                block.__class__ = plain[type(block)]  # type: ignore[assignment]
