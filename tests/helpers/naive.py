"""One iteration of the paper as a plain loop over widths, to hold the fast one to."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl.training.iteration_inputs import iteration_seed
from slimgan_pl.training.slimgan import SlimGAN

Latents = list[tuple[Tensor, Tensor | None]]


class Numbers(NamedTuple):
    """Random numbers of an update beside its latents."""

    real: Tensor | None
    fakes: list[Tensor | None]  # by width
    directions: Tensor | None
    noise: Sequence[Any] = ()  # by width, and last of distillation


NO_NUMBERS = Numbers(None, [], None)


def sample_updates(
    model: SlimGAN,
    iteration: int,
    rank: int,
    sets: Sequence[int],
    batch_size: int,
    source: torch.Generator | None = None,
    real_labels: Sequence[Tensor | None] = (),
) -> list[Latents]:
    """Return the latents and labels of each update of an iteration.

    With shared latents one set serves all widths, and that of the last discriminator update the generator's too. A
    relativistic loss takes the labels of the real images of the updates.
    """
    source = torch.Generator() if source is None else source
    source.manual_seed(iteration_seed(model.seed, iteration, rank))
    net, shared = model.generator, model.objective.shared_latents
    dtype = net.dtype
    updates: list[Latents] = []
    for number, count in enumerate(sets):
        if shared and number == len(sets) - 1:
            updates.append(updates[-1][:1] * count)
            break
        sampled = 1 if shared else count
        columns = -(-(net.latent_dim + (net.num_classes > 0)) // 16) * 16
        normals = torch.randn(sampled, batch_size, columns, generator=source)
        latents = normals[..., : net.latent_dim].to(dtype)
        labels: list[Tensor | None] = [None] * sampled
        if net.num_classes and model.objective.loss.is_relativistic:
            labels = [real_labels[min(number, len(real_labels) - 1)]] * sampled
        elif net.num_classes:
            shares = torch.special.ndtr(normals[..., net.latent_dim].double())
            labels = list((shares * net.num_classes).long())
        update = list(zip(latents, labels, strict=True))
        updates.append(update * count if sampled < count else update)
    return updates


def sample_numbers(model: SlimGAN, source: torch.Generator, shape: torch.Size, critic_steps: int) -> list[Numbers]:
    """Return the other random numbers of each update, in the order in which they are sampled."""
    result = []
    widths = model.generator.widths
    for update in range(critic_steps + 1):
        is_last = update == critic_steps
        real, directions = None, None
        fakes: list[Tensor | None] = [None] * len(widths)
        if model.augmenter is not None:
            if not is_last or model.objective.loss.is_relativistic:
                real = torch.rand(shape[0], 11, generator=source)
            if model.objective.shared_latents:
                fakes = [torch.rand(shape[0], 11, generator=source)] * len(widths)
            else:
                fakes = [torch.rand(shape[0], 11, generator=source) for _ in widths]
        if not is_last and model.penalty.gamma and model.penalty.method == "finite-difference":
            parts = model.step_settings.micro_batches
            count = parts * max(1, round(model.penalty.share * (shape[0] // parts)))
            directions = torch.randn(count, *shape[1:], generator=source).to(model.generator.dtype)
        result.append(Numbers(real, fakes, directions))
    noise: list[Any] = []
    for update in range(critic_steps + 1):
        if not model.objective.shared_latents:
            count = len(widths) + (update == critic_steps)
            noise = [model.generator.draw_noise(shape[0], source) for _ in range(count)]
        elif update < critic_steps:
            noise = [model.generator.draw_noise(shape[0], source)] * (len(widths) + 1)
        result[update] = result[update]._replace(noise=noise)
    return result


def generate(
    model: SlimGAN, inputs: tuple[Tensor, Tensor | None], width: float, numbers: Numbers, place: int
) -> Tensor:
    """Return images of a width, with the noise of a place in the list."""
    noise = numbers.noise[place] if numbers.noise else None
    more = {} if noise is None else {"noise": noise}
    images: Tensor = model.generator(*inputs, width=width, **more)
    return images


def augmented(model: SlimGAN, images: Tensor, numbers: Tensor | None) -> Tensor:
    """Return images as the discriminators see them, one after the other."""
    if model.augmenter is None or numbers is None:
        return images
    names, p = model.augmenter.settings.transforms, float(model.augmenter.p)
    return torch.stack([augment_one(*each, names, p) for each in zip(images, numbers, strict=True)])


def augment_one(image: Tensor, numbers: Tensor, names: Sequence[str], p: float) -> Tensor:
    """Augment an image ``(C, H, W)`` by eleven numbers."""
    flip, translation, color, cutout, *own = numbers.tolist()
    height, width = image.shape[1:]
    if "color" in names and color < p:
        image = image + own[0] - 0.5
        grey = image.mean(0)
        image = grey + (image - grey) * 2 * own[1]
        image = image.mean() + (image - image.mean()) * (own[2] + 0.5)
    if "flip" in names and flip < p:
        image = image.flip(2)
    if "translation" in names and translation < p:
        down, right = (
            int(number * (2 * round(side / 8) + 1)) - round(side / 8)
            for number, side in zip(own[3:5], (height, width), strict=True)
        )
        padded = F.pad(image, (width, width, height, height))
        image = padded[:, height - down : 2 * height - down, width - right : 2 * width - right]
    if "cutout" in names and cutout < p:
        mask = torch.ones(height, width, dtype=image.dtype)
        top, left = (
            int(number * (side + 1)) - side // 4 for number, side in zip(own[5:], (height, width), strict=True)
        )
        mask[max(0, top) : max(0, top + height // 2), max(0, left) : max(0, left + width // 2)] = 0
        image = image * mask
    return image


def discriminator_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    if name == "hinge":
        return torch.clamp(1 - real, min=0).mean() + torch.clamp(1 + fake, min=0).mean()
    if name == "wasserstein":
        return fake.mean() - real.mean()
    if name == "relativistic":
        return -torch.log(torch.sigmoid(real - fake)).mean()
    return -torch.log(torch.sigmoid(real)).mean() - torch.log(1 - torch.sigmoid(fake)).mean()


def generator_loss(name: str, fake: Tensor, real: Tensor | None = None) -> Tensor:
    if real is not None:
        return -torch.log(torch.sigmoid(fake - real)).mean()
    if name == "non-saturating":
        return -torch.log(torch.sigmoid(fake)).mean()
    if name == "minimax":
        return torch.log(1 - torch.sigmoid(fake)).mean()
    return -fake.mean()


def penalty(
    model: SlimGAN,
    branch: int,
    images: Tensor,
    labels: Tensor | None,
    numbers: Tensor | None,
    directions: Tensor | None,
) -> Tensor:
    """Return the mean squared gradient norm of one discriminator, group by group of images that it compares."""
    parts, group = model.step_settings.micro_batches, model.discriminators.batch_multiple
    size = len(images) // group // parts  # groups of a part
    count = max(1, round(model.penalty.share * size))
    norms = []
    for position, place in enumerate(
        part * size + each * size // count for part in range(parts) for each in range(count)
    ):
        row = slice(group * place, group * (place + 1))
        label, number = (None if values is None else values[row] for values in (labels, numbers))
        image = images[row].detach().requires_grad_()
        logit = model.discriminators(augmented(model, image, number), label, branch=branch)
        if directions is None:
            (gradient,) = torch.autograd.grad(logit.sum(), image, create_graph=True)
            norms.append(gradient.square().sum())
        else:
            moved = image + model.penalty.epsilon * directions[group * position : group * (position + 1)]
            other = model.discriminators(augmented(model, moved, number), label, branch=branch)
            norms.append(((other - logit) / model.penalty.epsilon).square().sum())
    return torch.stack(norms).mean() / group


def discriminator_gradients(
    model: SlimGAN, loss: str, real: Tensor, labels: Tensor | None, latents: Latents, numbers: Numbers = NO_NUMBERS
) -> list[Tensor]:
    """Return the gradients of all discriminators."""
    total = torch.zeros((), dtype=real.dtype)
    with parametrize.cached():
        for branch, width in enumerate(model.generator.widths):
            z, y = latents[branch]
            fake = generate(model, (z, y), width, numbers, branch).detach()
            own = numbers.fakes[branch] if numbers.fakes else None
            real_logits = model.discriminators(augmented(model, real, numbers.real), labels, branch=branch)
            fake_logits = model.discriminators(augmented(model, fake, own), y, branch=branch)
            total = total + discriminator_loss(loss, real_logits, fake_logits)
            total = total + model.objective.centering * (real_logits + fake_logits).square().mean()
            if model.penalty.gamma:
                weight = model.penalty.gamma / 2 * model.penalty.every
                if model.penalty.images != "fake":
                    total = total + weight * penalty(model, branch, real, labels, numbers.real, numbers.directions)
                if model.penalty.images != "real":
                    total = total + weight * penalty(model, branch, fake, y, own, numbers.directions)
        return list(torch.autograd.grad(total, list(model.discriminators.parameters())))


def generator_gradients(
    model: SlimGAN,
    loss: str,
    latents: Latents,
    numbers: Numbers = NO_NUMBERS,
    real: Tensor | None = None,
    labels: Tensor | None = None,
) -> list[Tensor]:
    """Return the gradients of the generator; a relativistic loss needs the real images."""
    widths = model.generator.widths
    total = torch.zeros((), dtype=model.generator.dtype)
    adversarial = []
    with parametrize.cached():
        for branch, width in enumerate(widths):
            z, y = latents[branch]
            images = generate(model, (z, y), width, numbers, branch)
            adversarial.append(images)
            seen = augmented(model, images, numbers.fakes[branch] if numbers.fakes else None)
            fake_logits, real_logits = model.discriminators(seen, y, branch=branch), None
            if real is not None:
                real_logits = model.discriminators(augmented(model, real, numbers.real), labels, branch=branch)
            total = total + generator_loss(loss, fake_logits, real_logits)
        if model.objective.distill_target != "none":
            if model.objective.shared_latents:
                outputs = adversarial
            else:
                z, y = latents[-1]
                outputs = [generate(model, (z, y), width, numbers, -1) for width in widths]
            for branch in range(len(widths) - 1):
                teacher = outputs[branch + 1] if model.objective.distill_target == "next" else outputs[-1]
                error = F.mse_loss(outputs[branch], teacher.detach())
                total = total + model.objective.distill_weight / (len(widths) - 1) * error
        return list(torch.autograd.grad(total, list(model.generator.parameters()), allow_unused=True))


def plain_descent(parameters: Iterable[Tensor]) -> torch.optim.SGD:
    """Make the optimizer that takes the steps of ``descend``."""
    return torch.optim.SGD(parameters, lr=0.1)


def descend(parameters: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
    """Take a step of plain gradient descent with learning rate 0.1."""
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter -= 0.1 * gradient
