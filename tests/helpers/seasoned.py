"""Small generators whose norms have seen data, and inputs for them."""

from collections.abc import Callable

import torch
from torch import nn

from slimgan_pl.models import (
    DCGANGenerator,
    Inputs,
    R3Generator,
    ResNetGenerator,
    SlimmableGenerator,
    StyleGAN2Generator,
)
from slimgan_pl.models.recalibration import has_statistics

__all__ = ["NETS", "NORMED", "draw_inputs", "seasoned"]

WIDTHS = (0.25, 0.5, 1.0)

NETS: dict[str, Callable[[], SlimmableGenerator]] = {
    "dcgan": lambda: DCGANGenerator((32, 16, 8), latent_dim=12, image_channels=1, widths=WIDTHS),
    "sliceable resnet": lambda: ResNetGenerator((32, 16), latent_dim=12, widths=(0.5, 1.0), num_classes=5),
    "one width": lambda: DCGANGenerator((16, 8), latent_dim=12, widths=(1.0,)),
    "switchable dcgan": lambda: DCGANGenerator(
        (32, 16), latent_dim=12, widths=(0.5, 1.0), num_classes=5, conditional_norm="switchable"
    ),
    "r3": lambda: R3Generator((32, 16), latent_dim=12, widths=(0.5, 1.0), num_classes=5),
    "stylegan2": lambda: StyleGAN2Generator((32, 16, 8), 12, 2, image_channels=1, widths=WIDTHS),
    "conditional stylegan2": lambda: StyleGAN2Generator((16, 8), 12, 1, widths=(0.5, 1.0), num_classes=5),
}

NORMED = ("dcgan", "sliceable resnet", "one width", "switchable dcgan")  # of batch norms


@torch.no_grad()
def seasoned(name: str) -> SlimmableGenerator:
    """Return a net in evaluation mode whose weights have left special values, with images within [-1, 1]."""
    torch.manual_seed(0)
    generator = NETS[name]()
    for parameter in generator.parameters():
        if parameter.dim() < 2 or not parameter.any():  # biases, norms, strengths, last convolutions of blocks
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    for name in () if has_statistics(generator) else ("image", "to_image"):  # no tanh bounds the images
        for parameter in getattr(generator, name, nn.Module()).parameters():
            parameter.mul_(0.2)
    for norm in generator.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.get_buffer("running_mean").normal_(std=0.3)
            norm.get_buffer("running_var").uniform_(0.5, 2.0)
    return generator.eval()


def draw_inputs(generator: SlimmableGenerator, count: int) -> Inputs:
    """Return inputs, of all classes in turn if there are classes."""
    labels = torch.arange(count) % generator.num_classes if generator.num_classes else None
    return generator.draw_inputs(count, torch.Generator().manual_seed(1), labels)
