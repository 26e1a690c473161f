"""Losses and gradients of an update of the discriminators.

Shape legend: N images, M penalised images, C channels, H = W pixels a side. An index is the position of a width.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.gradient_norms import NORM, branch_norms
from slimgan_pl.training.penalties import choose_images, finite_difference, gradient_norms
from slimgan_pl.training.real_and_fake import NO_RANDOMNESS, Images, Randomness, choose, join
from slimgan_pl.training.update_base import UpdateBase
from slimgan_pl.training.update_metrics import Metrics, average_parts, logit_metrics

__all__ = ["DiscriminatorUpdate", "WidthInputs"]

WidthInputs = Mapping[int, Inputs]  # index of each width that takes part -> what it samples from

Pair = tuple[Tensor, Tensor]  # logits of real images and of fakes


class DiscriminatorUpdate(UpdateBase):
    """The update of all discriminators that take part."""

    def train_discriminators(
        self,
        real: Tensor,
        real_labels: Tensor | None,
        inputs: WidthInputs,
        randomness: Randomness = NO_RANDOMNESS,
        keep: bool = False,
        penalize: bool = False,
    ) -> tuple[Metrics, dict[int, Tensor]]:
        """Add the gradients of the discriminators of the widths that take part.

        Args:
            real: Images ``(N, C, H, W)`` in [-1, 1].
            real_labels: Integers ``(N,)``, or None.
            inputs: N latents and labels of each width.
            randomness: The other random numbers.
            keep: Whether to return the fakes, with the graphs that lead to them.
            penalize: Whether to add the gradient penalty.

        Returns:
            ``discriminator_loss``, ``real_logits``, ``fake_logits``, ``real_sign``, ``gradient_penalty`` (the mean
            squared norms that ``gamma / 2`` multiplies) and norms if they are measured, and the fakes by width or
            nothing.
        """
        update = self._width_by_width if self.free_graphs else self._all_widths
        fakes: dict[int, Tensor] = {}
        parts = []
        with parametrize.cached():  # one power iteration of the spectral norm
            for part in self.split((real, real_labels, dict(inputs), randomness)):
                images, labels, own_inputs, own_randomness = part
                reals = Images(images, labels, own_randomness.real)
                metrics, fakes = update(reals, own_inputs, own_randomness, keep, penalize)
                parts.append(metrics)
        metrics = average_parts(parts)
        if self.measures_gradients:
            metrics[f"discriminator{NORM}"] = branch_norms(self.bank.branches, self.bank.heads, inputs)
        return metrics, fakes if keep else {}

    def _all_widths(
        self, real: Images, inputs: WidthInputs, randomness: Randomness, keep: bool, penalize: bool
    ) -> tuple[Metrics, dict[int, Tensor]]:
        with torch.set_grad_enabled(keep):
            images = {
                index: self.generate_fakes(index, inputs[index], randomness.noise.get(index))
                for index in sorted(inputs)
            }
        fakes = {index: as_fakes(images[index].detach(), inputs[index], randomness, index) for index in images}
        penalties: dict[int, Tensor] = {}
        if penalize and self._shares_passes(real):
            logits, penalties = self._discriminate_and_penalize(real, fakes, randomness)
        else:
            logits = self._discriminate(real, fakes)
            if penalize:
                penalties = {index: self._penalize(index, real, fakes[index], randomness) for index in fakes}
        metrics, losses = self._losses(logits, penalties)
        self.add_gradients(torch.stack(losses).sum(), retain_graph=self.micro_batches > 1)
        return metrics, images

    def _width_by_width(
        self, real: Images, inputs: WidthInputs, randomness: Randomness, keep: bool, penalize: bool
    ) -> tuple[Metrics, dict[int, Tensor]]:
        """Free each width's graph; the trunk sees real images once."""
        shared_real = self.trunk(self.see(real))
        leaf = shared_real.detach().requires_grad_(shared_real.requires_grad)
        by_width = [self._step(index, real, leaf, inputs[index], randomness, penalize) for index in sorted(inputs)]
        if leaf.grad is not None:
            shared_real.backward(leaf.grad, retain_graph=self.micro_batches > 1)
        names = by_width[0]
        return {name: {key: value for each in by_width for key, value in each[name].items()} for name in names}, {}

    def _step(
        self, index: int, real: Images, shared_real: Tensor, inputs: Inputs, randomness: Randomness, penalize: bool
    ) -> Metrics:
        """Add one discriminator's gradients, and return its metrics."""
        with torch.no_grad():
            images = self.generate_fakes(index, inputs, randomness.noise.get(index))
        fake = as_fakes(images, inputs, randomness, index)
        pair = self.discriminate_branch(shared_real, self.trunk(self.see(fake)), real.labels, fake.labels, index)
        penalties = {index: self._penalize(index, real, fake, randomness)} if penalize else {}
        metrics, (loss,) = self._losses({index: pair}, penalties)
        self.add_gradients(loss, retain_graph=True)  # of the normalised weights; the rest goes with its tensors
        return metrics

    def _discriminate(self, real: Images, fakes: Mapping[int, Images]) -> dict[int, Pair]:
        """Return each discriminator's logits of the real images and of its fakes."""
        seen = {index: self.see(batch) for index, batch in fakes.items()}
        labels = {index: batch.labels for index, batch in fakes.items()}
        if len(fakes) == self.bank.num_branches:
            fake_labels = None if real.labels is None else list(labels.values())
            pairs = self.discriminate_all(self.see(real), list(seen.values()), real.labels, fake_labels)
        else:
            shared = self.trunk(self.see(real))
            pairs = [
                self.discriminate_branch(shared, self.trunk(seen[index]), real.labels, labels[index], index)
                for index in fakes
            ]
        return dict(zip(fakes, pairs, strict=True))

    def _losses(self, logits: Mapping[int, Pair], penalties: Mapping[int, Tensor]) -> tuple[Metrics, list[Tensor]]:
        """Return metrics, and the losses with their penalties."""
        losses = {index: self.objective.discriminator_loss(*pair) for index, pair in logits.items()}
        metrics = {
            "discriminator_loss": {index: loss.detach() for index, loss in losses.items()},
            **logit_metrics(self.objective.loss, logits),
        }
        if penalties:
            metrics["gradient_penalty"] = {index: penalty.detach() for index, penalty in penalties.items()}
            weight = self.gamma / 2 * self.penalty.every
            losses = {index: loss + weight * penalties[index] for index, loss in losses.items()}
        return metrics, list(losses.values())

    # Gradient penalty

    def _shares_passes(self, real: Images) -> bool:
        """Return whether the penalty is computed in the passes of the losses.

        Finite differences go along there, and the trunk sees a moved real image once for all branches. Their passes
        have to be in float32: in bfloat16 the mean would be too high.
        """
        return self.penalty.takes_directions and not torch.is_autocast_enabled(real.images.device.type)

    def _discriminate_and_penalize(
        self, real: Images, fakes: Mapping[int, Images], randomness: Randomness
    ) -> tuple[dict[int, Pair], dict[int, Tensor]]:
        """Return logits, and mean squared gradient norms from the same passes."""
        count = len(real.images)
        of_real, of_fake = (self.penalty.images != other for other in ("fake", "real"))
        more = {index: self._with_moved(batch, randomness) if of_fake else batch for index, batch in fakes.items()}
        pairs = self._discriminate(self._with_moved(real, randomness) if of_real else real, more)
        logits = {index: (first[:count], second[:count]) for index, (first, second) in pairs.items()}
        penalties = {}
        for index, pair in pairs.items():
            norms = [
                finite_difference(
                    side.index_select(
                        0, choose_images(len(side) - count, count, side.device, self.bank.batch_multiple)
                    ),
                    side[count:],
                    self.penalty.epsilon,
                )
                for side in pair
                if len(side) > count
            ]
            penalties[index] = torch.stack([each.mean() for each in norms]).sum()
        return logits, penalties

    def _with_moved(self, batch: Images, randomness: Randomness) -> Images:
        """Return a batch with copies of the penalised images, moved a step."""
        assert randomness.directions is not None
        chosen = choose(batch, len(randomness.directions), self.bank.batch_multiple)
        return join(batch, chosen._replace(images=chosen.images + self.penalty.epsilon * randomness.directions))

    def _penalize(self, index: int, real: Images, fake: Images, randomness: Randomness) -> Tensor:
        """Return one discriminator's mean squared gradient norms, in float32."""
        sides = {"both": [real, fake], "real": [real], "fake": [fake]}[self.penalty.images]
        multiple = self.bank.batch_multiple
        count = self.penalty.count(len(real.images), multiple)
        batch = join(*(choose(side, count, multiple) for side in sides))
        images = batch.images.to(self.generator.dtype)

        def discriminate(images: Tensor) -> Tensor:
            return self.discriminate(self.see(batch._replace(images=images)), batch.labels, branch=index)

        with torch.autocast(images.device.type, enabled=False):
            if not self.penalty.takes_directions:
                norms = gradient_norms(discriminate, images)
            else:
                assert randomness.directions is not None
                moved = images + self.penalty.epsilon * torch.cat([randomness.directions] * len(sides))
                norms = finite_difference(discriminate(images), discriminate(moved), self.penalty.epsilon)
        return norms.mean() * len(sides)


def as_fakes(images: Tensor, inputs: Inputs, randomness: Randomness, index: int) -> Images:
    """Return fakes of one width, with labels and augmentation."""
    return Images(images, inputs.labels, None if randomness.fakes is None else randomness.fakes[index])
