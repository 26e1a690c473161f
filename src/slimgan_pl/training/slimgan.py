"""SlimGAN: a slimmable generator and its discriminators (Hou et al. 2021)."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor
from torch.optim import Optimizer

from slimgan_pl.data import ByteDataModule
from slimgan_pl.evaluation import Evaluator, GeneratorSource
from slimgan_pl.models import Classes, DiscriminatorBank, SlimmableGenerator
from slimgan_pl.models.classes import LabelSampling
from slimgan_pl.training.augmentation import NO_AUGMENTATION, Augmentation, Augmenter
from slimgan_pl.training.compatibility import (
    check_data,
    check_fit,
    check_norms,
    check_parts,
    check_trainable,
    keep_patience,
)
from slimgan_pl.training.ema import EMA, NO_EMA, adapt_state
from slimgan_pl.training.evaluate import EvaluatedModule
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, DistillTarget, LossName, Objective
from slimgan_pl.training.module import StepSettings, TrainedModule
from slimgan_pl.training.optimizers import ADAM, adam, make_optimizer, read_settings, use_configured_settings
from slimgan_pl.training.penalties import NO_PENALTY, Penalty
from slimgan_pl.training.schedules import NO_SCHEDULES, Course, Schedules, restore_scheduled
from slimgan_pl.training.setting_checks import (
    LatentSampling,
    check_derivatives,
    check_labels,
    check_precision,
    check_recomputed,
    check_settings,
)
from slimgan_pl.utils.recipes import plain_hyperparameters
from slimgan_pl.utils.torch_state import use_channels_last

__all__ = ["ADAM", "SlimGAN"]


class SlimGAN(TrainedModule, EvaluatedModule):
    """Training of a slimmable generator and its discriminators, with in-place distillation.

    One training step is one iteration: ``critic_steps`` discriminator updates and one generator update. It takes a
    batch of ``real_batches * batch_size`` real images. ``trainer.global_step`` counts iterations.

    Args:
        generator: The slimmable generator.
        discriminators: A bank with one discriminator per width.
        adversarial_loss: The losses of both sides. The ``relativistic`` one (RpGAN) compares pairs of real and fake
            images, which in a conditional net have the same labels.
        distill_target: Which width teaches a narrower one: the ``next`` wider, the ``widest``, or ``none``.
        distill_weight: Weight of the distillation loss.
        critic_steps: Discriminator updates per iteration.
        latents: ``independent``: new latents for every width, and one more batch for distillation, as in the paper;
            ``shared``: one batch of latents for all widths and both losses, and the generator update starts from the
            fakes of the discriminator update before it.
        generator_optimizer: Makes the generator's optimizer from its parameters.
        discriminator_optimizer: Makes the bank's optimizer from its parameters.
        evaluator: Evaluates every width in validation and test; None evaluates nothing.
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
        recomputed_stages: Stages of each net, those nearest to the images, whose activations are computed again in the
            backward pass in place of being kept, for less memory (activation checkpointing). The generator needs to be
            one without batch norms.
        labels: ``data``: fakes are of each class as often as the training images, in training, evaluation and samples;
            ``uniform``: of all classes alike. Of a conditional generator alone.
        centering: Weight of ``E[(D(x) + D(G(z)))^2]`` in the discriminators' loss, which keeps their logits near 0.
        penalty: Gradient penalty of the discriminators.
        ema: Averaged generator, which evaluation, samples and exports use in place of the raw one.
        augmentation: Augmentation of all images that the discriminators see.
        schedules: Schedules of these settings and the optimizers' over the images seen.

    Raises:
        SlimGANError: If generator and bank do not fit together, or a setting is out of range.
    """

    def __init__(
        self,
        generator: SlimmableGenerator,
        discriminators: DiscriminatorBank,
        adversarial_loss: LossName = "hinge",
        distill_target: DistillTarget = "next",
        distill_weight: float = 20.0,
        critic_steps: int = 1,
        latents: LatentSampling = "independent",
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
        labels: LabelSampling = "data",
        centering: float = 0.0,
        penalty: Penalty = NO_PENALTY,
        ema: EMA = NO_EMA,
        augmentation: Augmentation = NO_AUGMENTATION,
        schedules: Schedules = NO_SCHEDULES,
        recomputed_stages: int = 0,
    ) -> None:
        super().__init__()
        check_settings(locals())
        check_fit(generator, discriminators)
        check_recomputed(recomputed_stages, generator, discriminators)
        if generator.num_classes:
            check_labels(labels, adversarial_loss)
        self.save_hyperparameters(ignore=["generator", "discriminators", "evaluator"])
        nets = {"generator": generator, "discriminators": discriminators, "evaluator": evaluator}
        settings = plain_hyperparameters(self.hparams, nets)
        self.hparams.clear()
        self.hparams.update(settings)
        if individual is not None:
            generator, discriminators = generator.individual(individual), discriminators.individual()
        self.individual = individual
        generator.recomputed_stages = recomputed_stages
        discriminators.recompute_stages(recomputed_stages)
        self.generator = generator
        self.averaged_generator = copy.deepcopy(generator).requires_grad_(False) if ema.is_used else None
        self.discriminators = discriminators
        self.evaluator = evaluator
        self.objective = Objective(
            ADVERSARIAL_LOSSES[adversarial_loss], distill_target, distill_weight, latents == "shared", centering
        )
        self.penalty, self.ema, self.schedules = penalty, ema, schedules
        if self.penalizes:
            check_derivatives(penalty, compile, cuda_graphs)
        self.register_buffer("last_penalty", torch.zeros(len(generator.widths)) if penalty.every > 1 else None)
        self.augmenter = Augmenter(augmentation) if augmentation.transforms else None
        self.critic_steps = critic_steps
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.seed = seed
        self.labels = labels
        self.recalibration = recalibration
        self.step_settings = StepSettings(tf32, compile, cuda_graphs, free_graphs, micro_batches)
        use_channels_last(self, channels_last)
        self._loaded_iteration = 0
        self.optimizer_settings: list[list[dict[str, Any]]] = []

    def configure_optimizers(self) -> list[Optimizer]:
        optimizers = [
            make_optimizer(self.generator_optimizer, self.generator),
            make_optimizer(self.discriminator_optimizer, self.discriminators),
        ]
        self.optimizer_settings = [read_settings(optimizer) for optimizer in optimizers]
        return optimizers

    def check_schedules(self, iterations: float) -> None:
        """Check optimizers and schedules, before any folder is made.

        Args:
            iterations: Iterations of training, or infinity.

        Raises:
            SlimGANError: If an optimizer refuses its settings, or a schedule has nothing to move or no end.
        """
        Course(self.schedules, iterations, self.schedule_targets(self.configure_optimizers(), torch.tensor(0.0)))

    def prepare_data(self) -> None:
        """Check that the data suit the settings, before any folder is made."""
        data = getattr(self.trainer, "datamodule", None)
        if self.trainer.state.fn != "fit":
            return
        adapts = self.augmenter is not None and self.augmenter.is_adaptive
        parts = {"ema": self.ema.is_used, "penalty": self.penalizes, "augmentation.target": adapts}
        check_precision(self.trainer.precision, [f"--model.{name}" for name, is_used in parts.items() if is_used])
        if not isinstance(data, ByteDataModule):
            return
        data.train_dataloader()
        check_parts(data.batch_size, self.step_settings.micro_batches, self.discriminators.batch_multiple)
        check_norms(self.generator, data.batch_size // self.step_settings.micro_batches)
        self.check_real(data)

    # Evaluation

    def on_fit_start(self) -> None:
        check_trainable(self)
        data = getattr(self.trainer, "datamodule", None)
        check_data(self.generator, data, self.discriminators)
        self._take_classes(data)
        if self.evaluator is not None:  # a missing file is found before training, not after
            self.evaluator.start(self.device, self.fakes().shape)
            if isinstance(data, ByteDataModule):
                self.check_real(data)

    def on_validation_start(self) -> None:
        super().on_validation_start()
        data = getattr(self.trainer, "datamodule", None)
        check_data(self.generator, data, self.discriminators)
        if self.classes is None:  # in a checkpoint of an earlier version, or none
            self._take_classes(data)
        self.settle_statistics()

    on_test_start = on_validation_start

    def fakes(self) -> GeneratorSource:
        return GeneratorSource(self.inference_generator)

    def about(self) -> dict[str, Any]:
        return {
            "iteration": self.global_step or self._loaded_iteration,
            "individual": self.individual,
            "recalibration": self.recalibration,
            "weights": self.used_weights,
            "has_average": self.averaged_generator is not None,
        }

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.settle_statistics()  # in place, so in the checkpoint too
        weights = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: value.contiguous() for name, value in weights.items()}  # the usual layout
        checkpoint["optimizer_settings"] = self.optimizer_settings
        restore_scheduled(checkpoint.get("optimizer_states", ()), self.optimizer_settings, self.schedules)
        if self.classes is not None:
            checkpoint["classes"] = self.classes.to_json()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._loaded_iteration = checkpoint["global_step"]  # a trainer that only evaluates counts none itself
        checkpoint["state_dict"] = self.adapt_state(checkpoint["state_dict"])
        if "classes" in checkpoint:
            self.set_classes(Classes.from_json(checkpoint["classes"]))
        if self._trainer is not None and self._trainer.state.fn == "fit":
            self.apply_settings(checkpoint)
            keep_patience(self._trainer.callbacks, checkpoint)  # type: ignore[attr-defined]

    def adapt_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a checkpoint's weights for the present settings of averaging and augmentation."""
        return adapt_state(state, self.state_dict())

    def apply_settings(self, checkpoint: Mapping[str, Any]) -> None:
        """Put settings of the optimizers that have changed into a checkpoint's content.

        Raises:
            SlimGANError: If the content does not hold what an optimizer needs.
        """
        sides = (
            (self.generator_optimizer, self.generator, "generator_optimizer"),
            (self.discriminator_optimizer, self.discriminators, "discriminator_optimizer"),
        )
        use_configured_settings(checkpoint, sides)

    def _take_classes(self, data: object) -> None:
        """Take over the names and frequencies of the training data's classes."""
        if self.generator.num_classes and isinstance(data, ByteDataModule):
            self.set_classes(Classes(data.class_names, data.class_counts))
