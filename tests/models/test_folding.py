"""A folded slice generates its generator's images, without batch norms."""

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator, StagedGenerator
from slimgan_pl.models.dcgan import FoldedDCGANGenerator
from slimgan_pl.models.folding import folded_slice
from slimgan_pl.models.resnet import FoldedResNetGenerator

WIDTHS = (1 / 3, 2 / 3, 1.0)


def dcgan(num_classes: int = 0, norm: Any = "sliceable") -> StagedGenerator:
    return DCGANGenerator((12, 6, 6), 3, 5, widths=WIDTHS, num_classes=num_classes, conditional_norm=norm)


def resnet(num_classes: int = 0, norm: Any = "sliceable") -> StagedGenerator:
    return ResNetGenerator((12, 6, 6), 3, 5, widths=WIDTHS, num_classes=num_classes, conditional_norm=norm)


GENERATORS: dict[str, Callable[[], StagedGenerator]] = {
    "dcgan": dcgan,
    "resnet": resnet,
    "sliceable resnet": lambda: resnet(4),
    "switchable resnet": lambda: resnet(4, "switchable"),
    "sliceable dcgan": lambda: dcgan(4),
    "switchable dcgan": lambda: dcgan(4, "switchable"),
    "one-stage dcgan": lambda: DCGANGenerator((12,), latent_dim=5, widths=WIDTHS),
    "one-stage resnet": lambda: ResNetGenerator((12,), latent_dim=5, widths=WIDTHS),
}


@torch.no_grad()
def trained(name: str) -> StagedGenerator:
    """Return a generator whose norms have left their initial values, with zero and negative scales."""
    generator = GENERATORS[name]().train()
    for parameter in generator.parameters():
        parameter.normal_(std=0.4)
    for norm in generator.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.get_buffer("running_mean").normal_()
            norm.get_buffer("running_var").uniform_(0.3, 3.0)
            if norm.affine:
                norm.weight.normal_()
                norm.weight[0] = 0.0
    generator.image.weight.mul_(0.05)  # where tanh saturates all images are equal
    return generator


def inputs(generator: SlimmableGenerator, count: int = 4) -> tuple[Tensor, Tensor | None]:
    latents = torch.randn(count, generator.latent_dim, dtype=generator.dtype)
    return latents, torch.arange(count) % generator.num_classes if generator.num_classes else None


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_folded_slice_generates_the_same_images(name: str, width: float) -> None:
    generator = trained(name)
    folded = folded_slice(generator, width)
    latents, labels = inputs(generator)
    expected = generator.eval()(latents, labels, width=width)
    assert expected.std() > 0.05
    assert expected.abs().median() < 0.9
    torch.testing.assert_close(folded(latents, labels), expected, rtol=0, atol=3e-6)
    torch.testing.assert_close(folded(latents, labels, width=1.0), expected, rtol=0, atol=3e-6)


@pytest.mark.parametrize("name", ["dcgan", "switchable resnet"])
def test_a_double_generator_stays_double(name: str) -> None:
    generator = trained(name).double()
    folded = folded_slice(generator, WIDTHS[0])
    latents, labels = inputs(generator)
    expected = generator.eval()(latents, labels, width=WIDTHS[0])
    torch.testing.assert_close(folded(latents, labels), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", GENERATORS)
def test_the_generator_stays_as_it_is(name: str) -> None:
    generator = trained(name)
    before = copy.deepcopy(generator.state_dict())
    folded = folded_slice(generator, 1.0)
    for parameter in folded.parameters():
        parameter.zero_()
    assert all(torch.equal(before[key], value) for key, value in generator.state_dict().items())
    assert all(module.training for module in generator.modules())
    assert all(parameter.requires_grad for parameter in generator.parameters())


@pytest.mark.parametrize("name", GENERATORS)
def test_no_batch_norm_is_left_and_nothing_can_be_trained(name: str) -> None:
    folded = folded_slice(trained(name), 1.0)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert not any(parameter.requires_grad for parameter in folded.parameters())
    assert not any(module.training for module in folded.modules())


@pytest.mark.parametrize("name", ["dcgan", "resnet", "sliceable resnet", "switchable dcgan"])
def test_weights_and_every_activation_are_channels_last(name: str) -> None:
    folded = folded_slice(trained(name), WIDTHS[1])
    images = []

    def check(module: nn.Module, given: tuple[Any, ...], made: Tensor) -> None:
        images.extend([given[0], made])

    layers = [layer for layer in folded.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    for layer in layers:
        assert layer.weight.is_contiguous(memory_format=torch.channels_last)
        layer.register_forward_hook(check)
    images.append(folded(*inputs(folded)))
    assert len(images) == 2 * len(layers) + 1
    assert all(image.is_contiguous(memory_format=torch.channels_last) for image in images)


@pytest.mark.parametrize("name", ["dcgan", "sliceable resnet"])
def test_generating_changes_neither_latents_nor_weights(name: str) -> None:
    folded = folded_slice(trained(name), 1.0)
    latents, labels = inputs(folded)
    first_latents, first_state = latents.clone(), copy.deepcopy(folded.state_dict())
    first = folded(latents, labels)
    assert torch.equal(first, folded(latents, labels))
    assert torch.equal(latents, first_latents)
    assert all(torch.equal(first_state[key], value) for key, value in folded.state_dict().items())


@pytest.mark.parametrize("name", ["dcgan", "sliceable resnet"])
def test_latents_get_the_generators_gradient(name: str) -> None:
    generator = trained(name).double()
    folded = folded_slice(generator, 1.0)
    latents, labels = inputs(generator)
    gradients = [
        torch.autograd.grad(net(given, labels).square().sum(), given)[0]
        for net in (generator.eval(), folded)
        for given in [latents.clone().requires_grad_()]
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("name", ["dcgan", "switchable resnet"])
def test_recipe_and_weights_build_it_again(name: str) -> None:
    folded = folded_slice(trained(name), WIDTHS[1])
    file = io.BytesIO()
    torch.save(folded.state_dict(), file)
    file.seek(0)
    kind = {"FoldedDCGANGenerator": FoldedDCGANGenerator, "FoldedResNetGenerator": FoldedResNetGenerator}
    rebuilt = kind[folded.recipe["class_path"].rpartition(".")[2]](**folded.recipe["init_args"])
    rebuilt.load_state_dict(torch.load(file, weights_only=True))
    latents, labels = inputs(folded)
    torch.testing.assert_close(rebuilt(latents, labels), folded(latents, labels), rtol=0, atol=1e-6)


def test_it_cannot_be_sliced_or_folded_again() -> None:
    folded = folded_slice(trained("dcgan"), WIDTHS[0])
    with pytest.raises(SlimGANError, match="has one width and cannot be sliced; slice the generator it was made from"):
        folded.slice(1.0)
    with pytest.raises(
        SlimGANError, match="a FoldedDCGANGenerator cannot be folded; give a DCGANGenerator or a ResNet"
    ):
        folded_slice(folded, 1.0)


def test_it_has_no_other_width() -> None:
    generator = trained("dcgan")
    with pytest.raises(SlimGANError, match=r"width 0\.5 is not one of"):
        folded_slice(generator, 0.5)
    folded = folded_slice(generator, WIDTHS[0])
    with pytest.raises(SlimGANError, match=r"width 0\.333333 is not one of this generator's widths: 1"):
        folded(torch.randn(2, 5), width=WIDTHS[0])


def test_labels_are_asked_for() -> None:
    with pytest.raises(SlimGANError, match="give labels from 0 to 3"):
        folded_slice(trained("sliceable resnet"), 1.0)(torch.randn(2, 5))
