"""Losses and gradients of an update of the generator.

Shape legend: N images, C channels, H = W pixels a side. An index is the position of a width, narrow to wide.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.discriminator_update import WidthInputs, as_fakes
from slimgan_pl.training.gradient_norms import NORM, copy_gradients, norm_of_change
from slimgan_pl.training.losses import distillation_loss, find_teachers
from slimgan_pl.training.real_and_fake import NO_RANDOMNESS, Images, Randomness
from slimgan_pl.training.update_base import UpdateBase
from slimgan_pl.training.update_metrics import Metrics, average_parts
from slimgan_pl.utils.torch_state import frozen

__all__ = ["GeneratorUpdate"]


class GeneratorUpdate(UpdateBase):
    """The update of the generator at all widths that take part."""

    def train_generator(
        self,
        inputs: WidthInputs,
        distilled: Inputs | None = None,
        real: Images | None = None,
        randomness: Randomness = NO_RANDOMNESS,
        fakes: Mapping[int, Tensor] | None = None,
    ) -> Metrics:
        """Add the gradients of the generator; the bank gets none.

        Args:
            inputs: N latents and labels of each width that takes part.
            distilled: N latents and labels for distillation at every width; None distils the images of ``inputs``,
                which then have to be the same for all widths.
            real: N real images that a relativistic loss compares the fakes with.
            randomness: The other random numbers.
            fakes: Images of ``inputs`` by width with their graphs; None generates them here.

        Returns:
            ``generator_loss``, the ``distillation_loss`` of all widths that have a teacher, and norms if they are
            measured.
        """
        with parametrize.cached(), frozen(self.bank):
            split = self.split((dict(inputs), distilled, real, randomness))
            parts = [self._train_widths(part, fakes or {}) for part in split]
        return average_parts(parts)

    def _train_widths(
        self, part: tuple[WidthInputs, Inputs | None, Images | None, Randomness], fakes: Mapping[int, Tensor]
    ) -> Metrics:
        inputs, distilled, real, randomness = part
        metrics: Metrics = {"generator_loss": {}, "distillation_loss": {}, f"generator{NORM}": {}}
        teachers = find_teachers(sorted(inputs), self.objective.distill_target)
        outputs: dict[int, Tensor] = {}  # images that a student learns from
        parameters = list(self.generator.parameters())
        real_logits = {} if real is None else self._real_logits(real, inputs)
        for index in sorted(inputs, reverse=True):  # a teacher before its student
            before = copy_gradients(parameters) if self.measures_gradients else []
            if index in fakes:
                images = fakes[index]
            else:
                images = self.generate_fakes(index, inputs[index], randomness.noise.get(index))
            loss = self._adversarial_loss(index, as_fakes(images, inputs[index], randomness, index), real_logits)
            metrics["generator_loss"][index] = loss.detach()
            if teachers and distilled is not None:
                self.add_gradients(loss)  # frees the graph of the adversarial loss
                loss = loss.new_zeros(())
                with torch.set_grad_enabled(index in teachers):
                    images = self.generate_fakes(index, distilled, randomness.distilled)
            if index in teachers:
                distillation, distance = self._distillation_step(images, outputs[teachers[index]], len(teachers))
                metrics["distillation_loss"][index] = distance
                loss = loss + distillation
            if loss.requires_grad:
                self.add_gradients(loss)
            outputs[index] = images.detach()
            if self.measures_gradients:
                metrics[f"generator{NORM}"][index] = norm_of_change(parameters, before)
        return {name: dict(sorted(values.items())) for name, values in metrics.items() if values}

    @torch.no_grad()
    def _real_logits(self, real: Images, indices: Iterable[int]) -> dict[int, Tensor]:
        """Return each discriminator's logits of the real images."""
        shared = self.trunk(self.see(real))
        return {index: self.branch_logits(shared, real.labels, branch=index) for index in indices}

    def _adversarial_loss(self, index: int, fake: Images, real_logits: Mapping[int, Tensor]) -> Tensor:
        """Return the generator's loss of ``D_i(G_i(z))``, for a relativistic one against ``D_i(x)``."""
        logits = self.discriminate(self.see(fake), fake.labels, branch=index)
        loss = self.objective.loss.generator
        return loss(logits, real_logits[index]) if real_logits else loss(logits)

    def _distillation_step(self, images: Tensor, teacher: Tensor, num_students: int) -> tuple[Tensor, Tensor]:
        """Return a share of the distillation loss, and ``MSE(G_i(z), G_j(z))``."""
        distance = distillation_loss(images, teacher)
        return self.objective.distill_weight / num_students * distance, distance.detach()
