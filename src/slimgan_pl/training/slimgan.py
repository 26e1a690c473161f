"""SlimGAN: one slimmable generator trained against a bank of discriminators (Hou et al. 2021)."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Literal, get_args

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor
from torch.optim import Optimizer

from slimgan_pl.data import ByteDataModule
from slimgan_pl.errors import SlimGANError, check_choice, check_range
from slimgan_pl.evaluation import EvaluationResults, Evaluator, GeneratorSource
from slimgan_pl.evaluation.lightning_module import JudgedModule
from slimgan_pl.layers import width_index
from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator, recalibrate
from slimgan_pl.training.compatibility import check_data, check_fit, check_parts
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, DistillTarget
from slimgan_pl.training.module import StepSettings, TrainedModule
from slimgan_pl.training.updates import Objective
from slimgan_pl.utils.recipes import plain_hyperparameters
from slimgan_pl.utils.torch_state import evaluating, use_channels_last

__all__ = ["ADAM", "SlimGAN", "individual_gan"]

SAMPLE_CHUNK = 256  # images drawn at once by `sample`, so that any number fits in memory

ADAM: dict[str, Any] = {
    "class_path": "torch.optim.Adam",
    "init_args": {"lr": 2e-4, "betas": [0.5, 0.999], "fused": True},
}

UNSUITED = (torch.optim.LBFGS, torch.optim.SparseAdam)  # want the loss again and again, or sparse gradients

Sampling = Literal["independent", "shared"]


def adam(parameters: Iterable[Tensor]) -> Optimizer:
    """Make the paper's optimizer for DCGAN, which ``ADAM`` says in plain values."""
    return torch.optim.Adam(parameters, **ADAM["init_args"])


class SlimGAN(TrainedModule, JudgedModule):
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
            ``shared``: one batch of latents for all widths and both losses, and the generator update goes on from the
            fakes of the discriminator update before it.
        generator_optimizer: Makes the generator's optimizer from its parameters.
        discriminator_optimizer: Makes the bank's optimizer from its parameters.
        evaluator: Judges every width in validation and test; None judges nothing.
        seed: Seed of latents and labels, and of the order of the data.
        recalibration: Batches of latents over which batch-norm statistics are measured anew before each evaluation and
            save; 0 keeps the running ones.
        individual: Train the generator of this width alone, against one full discriminator: the plain GAN that a
            slimmable one is compared with.
        channels_last: Lay weights and images with channels last, as convolutions are fastest.
        tf32: Let NVIDIA's tensor cores round the factors of float32 products to TF32; None leaves PyTorch's settings.
        compile: Compile the nets for training.
        cuda_graphs: Capture each update as a CUDA graph: one launch instead of hundreds. On one GPU.
        free_graphs: Free each width's graph before the next is built, for a peak of memory near the widest's alone.
        micro_batches: Parts that a batch is computed in, one after the other, for less memory: the same gradients but
            for batch-norm statistics, which are each part's own.

    Raises:
        SlimGANError: If generator and bank do not fit together, or a setting is out of range.
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
        channels_last: bool = True,
        tf32: bool | None = None,
        compile: bool = False,
        cuda_graphs: bool = False,
        free_graphs: bool = False,
        micro_batches: int = 1,
    ) -> None:
        super().__init__()
        check_fit(generator, discriminators)
        check_range("critic_steps", critic_steps, 1)
        check_range("micro_batches", micro_batches, 1)
        check_choice("adversarial_loss", adversarial_loss, tuple(ADVERSARIAL_LOSSES))
        check_choice("distill_target", distill_target, get_args(DistillTarget))
        check_choice("latents", latents, get_args(Sampling))
        check_range("distill_weight", distill_weight, 0)
        check_range("seed", seed, 0)
        check_range("recalibration", recalibration, 0)
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
        self.objective = Objective(
            ADVERSARIAL_LOSSES[adversarial_loss], distill_target, distill_weight, latents == "shared"
        )
        self.critic_steps = critic_steps
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.seed = seed
        self.recalibration = recalibration
        self.step_settings = StepSettings(tf32, compile, cuda_graphs, free_graphs, micro_batches)
        use_channels_last(self, channels_last)
        self.reports = deque(maxlen=2)
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
                chunks.append(net(latents[chunk].to(net.device, net.dtype), chunk_labels, width=width))
        return torch.cat(chunks).contiguous()

    def configure_optimizers(self) -> list[Optimizer]:
        try:
            optimizers = [
                self.generator_optimizer(self.generator.parameters()),
                self.discriminator_optimizer(self.discriminators.parameters()),
            ]
        except (TypeError, ValueError, RuntimeError) as error:
            raise SlimGANError(f"the optimizer refuses its settings: {error}") from error
        for optimizer in optimizers:
            if isinstance(optimizer, UNSUITED):
                raise SlimGANError(f"{type(optimizer).__name__} cannot train these nets; take another, such as Adam")
            for group in optimizer.param_groups:
                check_range("the optimizer's learning rate", float(group.get("lr", 0)), 0)
        return optimizers

    def prepare_data(self) -> None:
        """Find data that do not suit the settings before any folder is made."""
        data = getattr(self.trainer, "datamodule", None)
        if self.trainer.state.fn != "fit" or not isinstance(data, ByteDataModule):
            return
        data.train_dataloader()
        check_parts(data.batch_size, self.step_settings.micro_batches)
        self._check_real(data)

    # Judging

    def on_fit_start(self) -> None:
        data = getattr(self.trainer, "datamodule", None)
        check_data(self.generator, data)
        if self.evaluator is not None:  # what is missing is found before training, not after
            self.evaluator.start(self.device, self.fakes().shape)
            if isinstance(data, ByteDataModule):
                self._check_real(data)

    def _check_real(self, data: ByteDataModule) -> None:
        if self.evaluator is not None:
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
        found = EvaluationResults.from_json(results)
        if "mic" in found.between:
            self.log(found.key("mic"), found.between["mic"], rank_zero_only=True)

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.settle_statistics()  # in place, so in the checkpoint too
        weights = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: value.contiguous() for name, value in weights.items()}  # as others lay them

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._loaded_iteration = checkpoint["global_step"]  # a trainer that only judges counts none itself

    def settle_statistics(self) -> None:
        """Make batch-norm statistics what the net is judged, shown and kept with: measured anew if asked for.

        So they depend on the weights alone, and not on when they were measured before.
        """
        if self.recalibration:
            recalibrate(self.generator, self.recalibration)


def individual_gan(
    generator: SlimmableGenerator, discriminators: DiscriminatorBank, width: float
) -> tuple[SlimmableGenerator, DiscriminatorBank]:
    """Return new nets for a plain GAN: a generator with one width's channels alone, and one full discriminator.

    Raises:
        SlimGANError: If the width is not in the generator's list.
    """
    plain = {
        "channels": generator.channels_at(generator.widths[width_index(generator.widths, width)]),
        "widths": (1.0,),
        "conditional_norm": "switchable",  # with one width it is the usual conditional batch norm
    }
    alone = {"num_branches": 1, "num_shared": 0, "share_head": False}
    return (
        type(generator)(**{**generator.arguments, **plain}),
        type(discriminators)(**{**discriminators.arguments, **alone}),
    )
