"""Generators: shapes, slices, labels, and mistakes."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator, count_macs, count_parameters

THIRDS = (1 / 3, 2 / 3, 1.0)


def conditional(norm: Any) -> ResNetGenerator:
    return ResNetGenerator((12, 12, 12), latent_dim=5, widths=THIRDS, num_classes=4, conditional_norm=norm)


GENERATORS: dict[str, Callable[[], SlimmableGenerator]] = {
    "dcgan": lambda: DCGANGenerator((24, 12, 6), bottom_size=3, latent_dim=5, image_channels=2, widths=THIRDS),
    "resnet": lambda: ResNetGenerator((12, 12, 6), bottom_size=6, latent_dim=5, image_channels=1, widths=THIRDS),
    "sliceable": lambda: conditional("sliceable"),
    "switchable": lambda: conditional("switchable"),
    "conditional dcgan": lambda: DCGANGenerator((12, 6), latent_dim=5, widths=THIRDS, num_classes=4),
    "one stage": lambda: DCGANGenerator((12,), latent_dim=5, widths=THIRDS),
}


def labels_for(generator: SlimmableGenerator, count: int) -> torch.Tensor | None:
    return torch.arange(count) % generator.num_classes if generator.num_classes else None


@pytest.mark.parametrize("name", GENERATORS)
def test_every_width_generates_images_between_minus_one_and_one(name: str) -> None:
    generator = GENERATORS[name]()
    for width in THIRDS:
        images = generator(torch.randn(4, 5), labels_for(generator, 4), width=width)
        assert images.shape == (4, generator.image_channels, generator.image_size, generator.image_size)
        assert images.abs().max() <= 1


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("width", THIRDS)
def test_a_slice_generates_the_same_images_with_that_width_alone(name: str, width: float) -> None:
    generator = GENERATORS[name]()
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    labels = labels_for(generator, 4)
    for _ in range(2):  # move the running statistics
        generator(torch.randn(4, 5), labels, width=width)
    generator.eval()
    narrow = generator.slice(width)
    latents = torch.randn(4, 5)
    assert type(narrow) is type(generator)
    assert narrow.widths == (1.0,)
    assert not narrow.training
    torch.testing.assert_close(narrow(latents, labels), generator(latents, labels, width=width), rtol=0, atol=1e-6)
    sizes = [sum(parameter.numel() for parameter in net.parameters()) for net in (narrow, generator)]
    assert sizes[0] < sizes[1] or width == 1.0


def test_a_slice_shares_no_memory_with_the_whole() -> None:
    generator = GENERATORS["dcgan"]()
    narrow = generator.slice(1.0)
    before = [parameter.clone() for parameter in generator.parameters()]
    for parameter in narrow.parameters():
        torch.nn.init.zeros_(parameter)
    assert all(torch.equal(a, b) for a, b in zip(before, generator.parameters(), strict=True))


@pytest.mark.parametrize("name", GENERATORS)
def test_a_slice_requires_gradients_where_the_whole_does(name: str) -> None:
    generator = GENERATORS[name]()
    generator.get_submodule("stem").requires_grad_(False)
    requires = {key: weight.requires_grad for key, weight in generator.slice(THIRDS[0]).named_parameters()}
    assert requires == {key: not key.startswith("stem.") for key in requires}


@pytest.mark.parametrize("name", GENERATORS)
def test_slices_and_costs_leave_the_random_state_and_the_buffers(name: str) -> None:
    generator = GENERATORS[name]().train()
    random, before = torch.get_rng_state(), copy.deepcopy(generator.state_dict())
    generator.slice(THIRDS[0])
    count_macs(generator, THIRDS[0])
    count_parameters(generator, THIRDS[0])
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(before[key], value) for key, value in generator.state_dict().items())
    assert generator.training


def test_classes_change_the_image() -> None:
    generator = conditional("sliceable").eval()
    latents = torch.randn(1, 5).expand(2, 5)
    first, second = generator(latents, torch.tensor([0, 1]), width=1.0)
    assert not torch.allclose(first, second)


def test_channels_that_a_width_does_not_divide_name_the_stage() -> None:
    with pytest.raises(ValueError, match=r"DCGANGenerator stage 1: 10 channels at width 0\.25"):
        DCGANGenerator((16, 10), widths=(0.25, 1.0))


@pytest.mark.parametrize(
    ("name", "labels", "words"),
    [("sliceable", None, "give labels from 0 to 3"), ("resnet", torch.zeros(2, dtype=torch.long), "no classes")],
)
def test_labels_are_asked_for_where_there_are_classes_and_only_there(
    name: str, labels: torch.Tensor | None, words: str
) -> None:
    with pytest.raises(SlimGANError, match=words):
        GENERATORS[name]()(torch.randn(2, 5), labels)


def test_a_width_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="not one of"):
        GENERATORS["dcgan"]()(torch.randn(2, 5), width=0.5)


def test_a_recipe_builds_the_same_net() -> None:
    generator = GENERATORS["sliceable"]()
    rebuilt = ResNetGenerator(**generator.recipe["init_args"])
    rebuilt.load_state_dict(generator.state_dict())
    latents, labels = torch.randn(2, 5), torch.tensor([0, 3])
    assert torch.equal(rebuilt.eval()(latents, labels), generator.eval()(latents, labels))
