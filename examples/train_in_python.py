"""Train on handwritten digits from Python, and save a picture with a row per width.

``python examples/train_in_python.py`` takes a few minutes on a CPU. Everything is an argument: generator, bank, losses.
"""

from pathlib import Path

import torch
from jsonargparse import auto_cli
from lightning.pytorch import Trainer

from slimgan_pl import SlimGAN
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.utils.images import save_images, width_grid


def main(max_steps: int = 1800, output: str = "digits.png", num_images: int = 450) -> None:
    """Train, evaluate every width, and save samples.

    Args:
        max_steps: Iterations.
        output: Picture to write.
        num_images: Real and generated images of the evaluation.
    """
    generator = DCGANGenerator(channels=(64, 32, 16), latent_dim=64, image_channels=1)  # 4x4 to 16x16
    bank = DCGANDiscriminatorBank(channels=(32, 64, 128), image_channels=1, num_branches=4, num_shared=2)
    evaluator = Evaluator("digits", num_real=num_images, num_fake=num_images, num_score=num_images)
    model = SlimGAN(generator, bank, evaluator=evaluator, distill_target="next", distill_weight=20.0)
    data = DigitsDataModule(image_size=16, batch_size=64)

    trainer = Trainer(max_steps=max_steps, limit_val_batches=0, use_distributed_sampler=False, logger=False)
    trainer.fit(model, data)
    trainer.test(model, data)

    rows = [model.sample(10, width, generator=torch.Generator().manual_seed(0)) for width in generator.widths]
    save_images(width_grid(rows), Path(output))
    print(f"{output}: a row per width, a column per latent")


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
