"""A training loop of your own, without Lightning: the algorithm of the paper in plain PyTorch.

``python examples/custom_loop.py`` trains on handwritten digits. Shape legend: B images of a batch, W widths.
"""

from itertools import pairwise

import torch
from jsonargparse import auto_cli
from torch import Tensor

from slimgan_pl.data import DigitsDataModule
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator, save_generator
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, distillation_loss
from slimgan_pl.utils.images import from_bytes

LOSS = ADVERSARIAL_LOSSES["hinge"]


def discriminator_loss(generator: DCGANGenerator, bank: DCGANDiscriminatorBank, real: Tensor) -> Tensor:
    """Sum each width's loss: its discriminator tells real images ``(B, C, H, W)`` from the width's own."""
    total = real.new_zeros(())
    for branch, width in enumerate(generator.widths):
        with torch.no_grad():
            fake = generator(*generator.draw_inputs(len(real)), width=width)
        total = total + LOSS.discriminator(bank(real, branch=branch), bank(fake, branch=branch))
    return total


def generator_loss(generator: DCGANGenerator, bank: DCGANDiscriminatorBank, count: int, weight: float) -> Tensor:
    """Sum each width's adversarial loss and its distance to the next wider one, its teacher."""
    total = torch.zeros(())
    for branch, width in enumerate(generator.widths):
        fake = generator(*generator.draw_inputs(count), width=width)
        total = total + LOSS.generator(bank(fake, branch=branch))
    inputs = generator.draw_inputs(count)  # the same latents for all widths
    images = [generator(*inputs, width=width) for width in generator.widths]
    students = [distillation_loss(student, teacher) for student, teacher in pairwise(images)]
    return total + weight * torch.stack(students).mean()


def main(
    iterations: int = 1800, batch_size: int = 64, weight: float = 20.0, output: str = "digits.safetensors"
) -> None:
    """Train and save the generator.

    Args:
        iterations: Updates of the discriminators, each with one of the generator.
        batch_size: Images of an update.
        weight: Weight of the distillation loss.
        output: File to write; ``slimgan_pl.models.load_generator`` reads it.
    """
    data = DigitsDataModule(image_size=16)
    data.prepare_data()
    real = torch.from_numpy(data.arrays["train"].images.copy())

    generator = DCGANGenerator(channels=(64, 32, 16), latent_dim=64, image_channels=1)
    bank = DCGANDiscriminatorBank(channels=(32, 64, 128), image_channels=1, num_branches=4, num_shared=2)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    bank_optimizer = torch.optim.Adam(bank.parameters(), lr=2e-4, betas=(0.5, 0.999))

    for iteration in range(1, iterations + 1):
        batch = from_bytes(real[torch.randint(len(real), (batch_size,))])
        for_bank = discriminator_loss(generator, bank, batch)
        bank_optimizer.zero_grad()
        for_bank.backward()
        bank_optimizer.step()

        for_generator = generator_loss(generator, bank, batch_size, weight)
        generator_optimizer.zero_grad()
        for_generator.backward()
        generator_optimizer.step()
        if iteration % 100 == 0:
            print(f"{iteration}: discriminators {for_bank.item():.3f}, generator {for_generator.item():.3f}")

    save_generator(generator.eval(), output)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
