"""Advice on schedules makes nets that fit any image size."""

import shlex

import pytest
import torch
import yaml

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    R3DiscriminatorBank,
    R3Generator,
    ResNetDiscriminatorBank,
    ResNetGenerator,
    SlimmableGenerator,
    StyleGAN2DiscriminatorBank,
    StyleGAN2Generator,
)
from slimgan_pl.training.channel_advice import advise_schedules, resize_schedule
from slimgan_pl.training.compatibility import check_data
from slimgan_pl.training.slimgan import SlimGAN

SIZES = (4, 8, 12, 16, 20, 24, 28, 33, 40, 48, 50, 64, 96, 100, 128, 160, 224, 256)


def make_nets(family: str) -> tuple[SlimmableGenerator, DiscriminatorBank]:
    """Return small nets of 64x64."""
    if family == "dcgan":
        return DCGANGenerator((16, 16, 8, 8, 4), latent_dim=4), DCGANDiscriminatorBank((2, 4, 4, 8, 8), num_shared=9)
    if family == "r3":
        return R3Generator((32, 32, 32, 32, 32), 1, latent_dim=4), R3DiscriminatorBank(
            (8, 8, 8, 8, 16), 1, num_shared=4
        )
    if family == "stylegan2":
        bank = StyleGAN2DiscriminatorBank((4, 8, 8, 8, 8), num_shared=4)
        return StyleGAN2Generator((16, 16, 8, 8, 8), 4, 1), bank
    return ResNetGenerator((32, 16, 16, 8, 8), latent_dim=4), ResNetDiscriminatorBank((4, 4, 8, 8), num_downsamples=4)


def paste(
    net: SlimmableGenerator | DiscriminatorBank, name: str, advice: str
) -> SlimmableGenerator | DiscriminatorBank:
    """Return a net with the options of an advice, as the command reads them."""
    words = shlex.split(advice)
    options = {option: yaml.safe_load(value) for option, value in zip(words[::2], words[1::2], strict=True)}
    prefix = f"--model.{name}."
    given = {option.removeprefix(prefix): value for option, value in options.items() if option.startswith(prefix)}
    return type(net)(**{**net.arguments, **given})


DOUBLED = ("r3", "stylegan2")  # from four pixels alone


@pytest.mark.parametrize(
    ("size", "family"),
    [
        *((size, family) for size in SIZES for family in ("dcgan", "resnet")),
        *((size, family) for size in (8, 16, 32, 128) for family in DOUBLED),
    ],
)
def test_pasted_advice_makes_nets_of_an_image_size(size: int, family: str) -> None:
    generator, bank = make_nets(family)
    advice = advise_schedules(generator, bank, size)
    made, judging = paste(generator, "generator", advice), paste(bank, "discriminators", advice)
    model = SlimGAN(made, judging)  # type: ignore[arg-type]
    assert model.generator.image_size == size
    with torch.no_grad():
        images = model.generator.eval()(torch.zeros(4, 4), width=0.25)
        assert model.discriminators(images, branch=0).shape == (4, 1)
    assert advise_schedules(model.generator, model.discriminators, size) == ""


@pytest.mark.parametrize("family", DOUBLED)
@pytest.mark.parametrize(("size", "near"), [(100, "64 or 128"), (96, "64 or 128"), (3, "8 or 16"), (4, "8 or 16")])
def test_a_side_that_cannot_be_made_names_the_nearest(size: int, near: str, family: str) -> None:
    class Data:
        image_size = size

    generator, bank = make_nets(family)
    with pytest.raises(
        SlimGANError, match=f"has image_size {size}, and .* images of 8, 16, 32 and so on; .*image_size {near}"
    ):
        check_data(generator, Data(), bank)


def test_a_message_about_the_data_holds_the_advice() -> None:
    class Data:
        image_size = 96

    generator, bank = make_nets("dcgan")
    with pytest.raises(SlimGANError, match=r"has image_size 96 .* 64; give --model\.generator\.bottom_size 6") as error:
        check_data(generator, Data(), bank)
    assert advise_schedules(generator, bank, 96) in str(error.value)


def test_a_level_schedule_stays_level_and_a_falling_one_falls_to_what_widths_divide() -> None:
    assert resize_schedule([64, 64], 3, (0.25, 1.0)) == [64, 64, 64]
    assert resize_schedule([64, 32], 5, (0.25, 1.0)) == [64, 32, 16, 8, 4]
    assert resize_schedule([64, 32], 6, (0.25, 1.0)) == [64, 32, 16, 8, 4, 4]


def test_nets_of_another_form_get_no_numbers() -> None:
    class Data:
        image_size = 96

    with pytest.raises(SlimGANError, match="change a schedule or a bottom_size"):
        check_data(make_nets("dcgan")[0], Data())
