"""Train on handwritten digits from Python, with all that the command prints and writes.

``python examples/train_in_python.py`` takes a few minutes on a CPU. Everything is an argument: generator, bank, losses.
"""

from jsonargparse import auto_cli
from lightning.pytorch import Trainer

from slimgan_pl import SlimGAN, default_callbacks, default_trainer_arguments
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator


def main(max_steps: int = 1800, root: str = "runs/python", num_images: int = 450) -> None:
    """Train, evaluate every width, and save checkpoints, results and samples.

    Args:
        max_steps: Iterations.
        root: Folder of the runs.
        num_images: Real and generated images of the evaluation.
    """
    generator = DCGANGenerator(channels=(64, 32, 16), latent_dim=64, image_channels=1)  # 4x4 to 16x16
    bank = DCGANDiscriminatorBank(channels=(32, 64, 128), image_channels=1, num_branches=4, num_shared=2)
    evaluator = Evaluator("digits", num_real=num_images, num_fake=num_images, num_score=num_images)
    model = SlimGAN(generator, bank, evaluator=evaluator, distill_target="next", distill_weight=20.0)
    data = DigitsDataModule(image_size=16, batch_size=64)

    trainer = Trainer(callbacks=default_callbacks(), **default_trainer_arguments(root, max_steps=max_steps))
    trainer.fit(model, data)
    trainer.test(model, data)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
