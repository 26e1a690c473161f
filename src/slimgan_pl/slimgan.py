"""SlimGAN: one slimmable generator trained against a bank of discriminators (Hou et al. 2021)."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, get_args

import torch
from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor
from torch.nn.utils import parametrize
from torch.optim import Optimizer

from slimgan_pl.baselines import individual_gan
from slimgan_pl.checks import check_data, check_fit
from slimgan_pl.data import ByteDataModule
from slimgan_pl.distributed import average, average_gradients
from slimgan_pl.errors import UserError, check_choice
from slimgan_pl.evaluation import Evaluator, GeneratorSource, key_of
from slimgan_pl.judging import JudgedModule
from slimgan_pl.latents import draw_latents, iteration_seed
from slimgan_pl.losses import ADVERSARIAL_LOSSES, DistillTarget, distillation_loss, distillation_teacher
from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator, recalibrate
from slimgan_pl.modes import evaluating, frozen
from slimgan_pl.recorded import plain_hyperparameters

__all__ = ["ADAM", "SlimGAN"]

SAMPLE_CHUNK = 256  # images drawn at once by `sample`, so that any number fits in memory

ADAM: dict[str, Any] = {"class_path": "torch.optim.Adam", "init_args": {"lr": 2e-4, "betas": [0.5, 0.999]}}

Sampling = Literal["independent", "shared"]
Batch = tuple[Tensor, Tensor | None]


def adam(parameters: Iterable[Tensor]) -> Optimizer:
    """Make the paper's optimizer for DCGAN, which ``ADAM`` says in plain values."""
    return torch.optim.Adam(parameters, **ADAM["init_args"])


class SlimGAN(JudgedModule):
    """One generator at several widths, one discriminator per width, and stepwise in-place distillation.

    One training step is one iteration: ``critic_steps`` discriminator updates and one generator update. It takes a
    batch of ``critic_steps * batch_size`` real images. ``trainer.global_step`` counts iterations.

    Args:
        generator: The slimmable generator.
        discriminators: A bank with one discriminator per width.
        adversarial_loss: The game that is played.
        distill_target: Which width teaches a narrower one: the ``next`` wider, the ``widest``, or ``none``.
        distill_weight: Weight of the distillation loss.
        critic_steps: Discriminator updates per iteration.
        latents: ``independent``: new latents for every width, and one more batch for distillation, as in the paper;
            ``shared``: one batch of latents for all widths, and in the generator update for both losses.
        generator_optimizer: Makes the generator's optimizer from its parameters.
        discriminator_optimizer: Makes the bank's optimizer from its parameters.
        evaluator: Judges every width in validation and test; None judges nothing.
        seed: Seed of latents and labels, and of the order of the data.
        recalibration: Batches of latents over which batch-norm statistics are measured anew before each evaluation and
            save; 0 keeps the running ones.
        individual: Train the generator of this width alone, against one full discriminator: the plain GAN that a
            slimmable one is compared with.

    Raises:
        UserError: If generator and bank do not fit together.
    """

    def __init__(
        self,
        generator: SlimmableGenerator,
        discriminators: DiscriminatorBank,
        adversarial_loss: Literal["hinge", "non-saturating", "minimax", "wasserstein"] = "hinge",
        distill_target: DistillTarget = "next",
        distill_weight: float = 20.0,
        critic_steps: int = 1,
        latents: Sampling = "independent",
        generator_optimizer: OptimizerCallable = adam,
        discriminator_optimizer: OptimizerCallable = adam,
        evaluator: Evaluator | None = None,
        seed: int = 0,
        recalibration: int = 0,
        individual: float | None = None,
    ) -> None:
        super().__init__()
        check_fit(generator, discriminators)
        if critic_steps < 1:
            raise UserError(f"critic_steps is {critic_steps}; an iteration needs at least 1 discriminator update")
        check_choice("adversarial_loss", adversarial_loss, tuple(ADVERSARIAL_LOSSES))
        check_choice("distill_target", distill_target, get_args(DistillTarget))
        check_choice("latents", latents, get_args(Sampling))
        if min(seed, recalibration) < 0:
            raise UserError(f"the seed is {seed} and recalibration {recalibration}; both have to be at least 0")
        self.automatic_optimization = False
        self.save_hyperparameters(ignore=["generator", "discriminators", "evaluator"])
        nets = {"generator": generator, "discriminators": discriminators, "evaluator": evaluator}
        settings = plain_hyperparameters(self.hparams, nets)
        self.hparams.clear()
        self.hparams.update(settings)
        if individual is not None:
            generator, discriminators = individual_gan(generator, discriminators, individual)
        self.individual = individual
        self.generator = generator
        self.discriminators = discriminators
        self.evaluator = evaluator
        self.loss = ADVERSARIAL_LOSSES[adversarial_loss]
        self.distill_target: DistillTarget = distill_target
        self.distill_weight = distill_weight
        self.critic_steps = critic_steps
        self.latents = latents
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.seed = seed
        self.recalibration = recalibration
        self._loaded_iteration = 0

    def forward(self, latents: Tensor, labels: Tensor | None = None, *, width: float = 1.0) -> Tensor:
        """Draw images ``(N, C, H, W)`` in [-1, 1] from latents ``(N, latent_dim)`` at a width."""
        images: Tensor = self.generator(latents, labels, width=width)
        return images

    @torch.no_grad()
    def sample(
        self,
        num_images: int,
        width: float = 1.0,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw new images in evaluation mode; batch-norm statistics stay as they are.

        Args:
            num_images: How many.
            width: One of the generator's widths.
            labels: Integers ``(num_images,)``; drawn at random where they are missing and needed.
            generator: CPU source of randomness; the same state gives the same latents at every width.

        Returns:
            Images ``(num_images, C, H, W)`` in [-1, 1].
        """
        net = self.generator
        width = 1.0 if width == self.individual else width  # its only width, as tables and logs call it
        device = self.device
        latents = torch.randn(num_images, net.latent_dim, generator=generator)
        if labels is None and net.num_classes:
            labels = torch.randint(net.num_classes, (num_images,), generator=generator)
        chunks = []
        with evaluating(net):
            for chunk in torch.arange(num_images).split(SAMPLE_CHUNK):
                chunk_labels = None if labels is None else labels.cpu()[chunk].to(device)
                chunks.append(net(latents[chunk].to(device), chunk_labels, width=width))
        return torch.cat(chunks)

    def configure_optimizers(self) -> list[Optimizer]:
        try:
            return [
                self.generator_optimizer(self.generator.parameters()),
                self.discriminator_optimizer(self.discriminators.parameters()),
            ]
        except ValueError as error:
            raise UserError(f"the optimizer refuses its settings: {error}") from error

    # Training

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        images, labels = batch
        batch_size = len(images) // self.critic_steps
        images = images.to(self.generator.image.weight.dtype)
        if self.generator.num_classes == 0:
            labels = None
        seed = iteration_seed(self.seed, self.global_step, self.global_rank)
        source = torch.Generator(images.device).manual_seed(seed)
        for step in range(self.critic_steps):
            part = slice(step * batch_size, (step + 1) * batch_size)
            self._update_discriminators(images[part], None if labels is None else labels[part], source)
        self._update_generator(batch_size, source)
        self.log("step", float(self.global_step))  # the loggers' x axis; by itself Lightning's would lag by one

    def _update_discriminators(self, real: Tensor, labels: Tensor | None, source: torch.Generator) -> None:
        widths = self.generator.widths
        drawn = draw_latents(self.generator, len(widths), len(real), source, self.latents == "shared")
        with torch.no_grad():
            fakes = [self.generator(*pair, width=width) for pair, width in zip(drawn, widths, strict=True)]
        fake_labels = None if labels is None else [pair[1] for pair in drawn if pair[1] is not None]
        optimizer = self._optimizers()[1]
        optimizer.zero_grad()
        with parametrize.cached():  # one power iteration of the spectral norm
            logits = self.discriminators.forward_all(real, fakes, labels, fake_labels)
            losses = [self.loss.discriminator(*pair) for pair in logits]
            self._backward(torch.stack(losses).sum())
        average_gradients(self.discriminators)
        # The strategy's step, not the LightningOptimizer's, so that global_step counts iterations.
        self.trainer.strategy.optimizer_step(optimizer.optimizer, lambda: None)
        self._log_widths("discriminator_loss", losses)
        self._log_widths("real_logits", [pair[0].mean() for pair in logits])
        self._log_widths("fake_logits", [pair[1].mean() for pair in logits])

    def _update_generator(self, batch_size: int, source: torch.Generator) -> None:
        widths = self.generator.widths
        *drawn, distill = draw_latents(self.generator, len(widths) + 1, batch_size, source, self.latents == "shared")
        losses: dict[int, Tensor] = {}
        distillation: dict[int, Tensor] = {}
        outputs: dict[int, Tensor] = {}
        optimizer = self._optimizers()[0]
        optimizer.zero_grad()
        with parametrize.cached(), frozen(self.discriminators):
            for index in reversed(range(len(widths))):  # a teacher before its student
                latents, labels = drawn[index]
                images = self.generator(latents, labels, width=widths[index])
                losses[index] = loss = self.loss.generator(self.discriminators(images, labels, branch=index))
                teacher = distillation_teacher(index, len(widths), self.distill_target)
                if self.distill_target != "none" and len(widths) > 1:
                    if self.latents == "independent":
                        with torch.set_grad_enabled(teacher is not None):
                            images = self.generator(*distill, width=widths[index])
                    outputs[index] = images.detach()
                if teacher is not None:
                    distillation[index] = distillation_loss(images, outputs[teacher])
                    loss = loss + self.distill_weight * distillation[index] / (len(widths) - 1)
                self._backward(loss)  # frees this width's graph before the next is built
        average_gradients(self.generator)
        optimizer.step()
        self._log_widths("generator_loss", [losses[index] for index in range(len(widths))])
        self._log_widths("distillation_loss", [distillation[index] for index in sorted(distillation)])

    def _optimizers(self) -> list[LightningOptimizer]:
        """Return the generator's and the discriminators' optimizer."""
        optimizers: Any = self.optimizers()
        return list(optimizers)

    def _backward(self, loss: Tensor) -> None:
        """Add gradients of this process alone; they are averaged over processes once an update."""
        wrapped: Any = self.trainer.model
        context: AbstractContextManager[None] = wrapped.no_sync() if hasattr(wrapped, "no_sync") else nullcontext()
        with context:
            self.manual_backward(loss)

    def _log_widths(self, name: str, values: list[Tensor]) -> None:
        """Log a value per width, and their mean to the progress bar if it is a loss."""
        widths = self.generator.widths if self.individual is None else (self.individual,)
        for width, value in zip(widths, values, strict=False):
            self.log(f"{name}/{width:g}", value.detach())
        if values and name.endswith("loss"):
            self.log(name, torch.stack(values).detach().mean(), prog_bar=True)

    # Judging

    def on_fit_start(self) -> None:
        data = getattr(self.trainer, "datamodule", None)
        check_data(self.generator, data)
        if self.evaluator is not None:  # what is missing is found before training, not after
            self.evaluator.start(self.device, self.fakes().shape)
            if isinstance(data, ByteDataModule):
                self.evaluator.check(len(data.arrays[self.evaluator.protocol.real_split].images))

    def on_validation_start(self) -> None:
        check_data(self.generator, getattr(self.trainer, "datamodule", None))
        self.settle_statistics()

    on_test_start = on_validation_start

    def fakes(self) -> GeneratorSource:
        return GeneratorSource(self.generator)

    def about(self) -> dict[str, Any]:
        return {
            "iteration": self.global_step or self._loaded_iteration,
            "individual": self.individual,
            "recalibration": self.recalibration,
        }

    def log_results(self, results: dict[str, Any]) -> None:
        for row in results["widths"]:
            row["width"] = self.individual or row["width"]
            for key in row.keys() - {"width", "parameters", "macs"}:
                self.log(f"{key}/{row['width']:g}", row[key], rank_zero_only=True)
        self.log("step", float(results["iteration"]), rank_zero_only=True)
        mic = key_of("mic", results)
        if mic in results:
            self.log(mic, results[mic], rank_zero_only=True)

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.settle_statistics()  # in place, so in the checkpoint too

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._loaded_iteration = checkpoint["global_step"]  # a trainer that only judges counts none itself

    def average_buffers(self) -> None:
        """Make batch-norm statistics equal on all processes; Lightning does not under manual optimization."""
        average(buffer for buffer in self.generator.buffers() if buffer.is_floating_point())

    def settle_statistics(self) -> None:
        """Make batch-norm statistics what the net is judged and kept with: measured anew if asked for, equal anyway."""
        if self.recalibration:
            recalibrate(self.generator, self.recalibration)
        self.average_buffers()
