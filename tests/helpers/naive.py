"""One iteration of the paper as a plain loop over widths, to hold the fast one to."""

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl.training.iteration import iteration_seed
from slimgan_pl.training.slimgan import SlimGAN

Latents = list[tuple[Tensor, Tensor | None]]


def sample_updates(model: SlimGAN, iteration: int, rank: int, sets: Sequence[int], batch_size: int) -> list[Latents]:
    """Return the latents and labels of each update of an iteration.

    With shared latents one set serves all widths, and that of the last discriminator update the generator's too.
    """
    source = torch.Generator().manual_seed(iteration_seed(model.seed, iteration, rank))
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
        if net.num_classes:
            shares = torch.special.ndtr(normals[..., net.latent_dim].double())
            labels = list((shares * net.num_classes).long())
        update = list(zip(latents, labels, strict=True))
        updates.append(update * count if sampled < count else update)
    return updates


def discriminator_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    if name == "hinge":
        return torch.clamp(1 - real, min=0).mean() + torch.clamp(1 + fake, min=0).mean()
    if name == "wasserstein":
        return fake.mean() - real.mean()
    return -torch.log(torch.sigmoid(real)).mean() - torch.log(1 - torch.sigmoid(fake)).mean()


def generator_loss(name: str, fake: Tensor) -> Tensor:
    if name == "non-saturating":
        return -torch.log(torch.sigmoid(fake)).mean()
    if name == "minimax":
        return torch.log(1 - torch.sigmoid(fake)).mean()
    return -fake.mean()


def discriminator_gradients(
    model: SlimGAN, loss: str, real: Tensor, labels: Tensor | None, latents: Latents
) -> list[Tensor]:
    """Return the gradients of all discriminators."""
    total = torch.zeros((), dtype=real.dtype)
    with parametrize.cached():
        for branch, width in enumerate(model.generator.widths):
            z, y = latents[branch]
            fake = model.generator(z, y, width=width).detach()
            real_logits = model.discriminators(real, labels, branch=branch)
            fake_logits = model.discriminators(fake, y, branch=branch)
            total = total + discriminator_loss(loss, real_logits, fake_logits)
        return list(torch.autograd.grad(total, list(model.discriminators.parameters())))


def generator_gradients(model: SlimGAN, loss: str, latents: Latents) -> list[Tensor]:
    """Return the gradients of the generator."""
    widths = model.generator.widths
    total = torch.zeros((), dtype=model.generator.dtype)
    adversarial = []
    with parametrize.cached():
        for branch, width in enumerate(widths):
            z, y = latents[branch]
            images = model.generator(z, y, width=width)
            adversarial.append(images)
            total = total + generator_loss(loss, model.discriminators(images, y, branch=branch))
        if model.objective.distill_target != "none":
            if model.objective.shared_latents:
                outputs = adversarial
            else:
                z, y = latents[-1]
                outputs = [model.generator(z, y, width=width) for width in widths]
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
