"""StyleGAN2 is the published net, its convolutions are those of a weight per image, and its folded form agrees."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import EqualizedLinear, ModulatedConv2d
from slimgan_pl.layers.modulated import demodulation
from slimgan_pl.models import (
    DCGANGenerator,
    R3DiscriminatorBank,
    StyleGAN2DiscriminatorBank,
    StyleGAN2Generator,
    folded_slice,
)
from slimgan_pl.models.stylegan2 import StyleNoise
from slimgan_pl.models.stylegan2_discriminator import MinibatchDeviation

WIDTHS = tuple(number / 4 for number in range(1, 5))
FFHQ_256 = [512, 512, 512, 512, 256, 128, 64]  # 4 to 256 pixels


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@torch.no_grad()
def trained(**settings: Any) -> StyleGAN2Generator:
    """Return a small generator in evaluation mode with noise and biases, and images within [-1, 1]."""
    torch.manual_seed(0)
    arguments = {"channels": (32, 32, 16), "latent_dim": 16, "mapping_layers": 2, "widths": WIDTHS, **settings}
    generator = StyleGAN2Generator(**arguments)
    for name, weight in generator.named_parameters():
        if "noise_strength" in name or name.endswith("bias"):
            weight.add_(0.3 * torch.randn_like(weight))
        if name.startswith("to_image"):
            weight.mul_(0.1)
    return generator.eval()


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"channels": FFHQ_256}, 24_767_458),  # 24.77 M
        ({"channels": [512] * 4, "mapping_layers": 2}, 19_947_539),  # CIFAR-10: 19.95 M
    ],
)
def test_the_published_generators_have_their_parameters(settings: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        assert count(StyleGAN2Generator(**settings)) == parameters


def test_the_published_discriminator_has_its_parameters() -> None:
    with torch.device("meta"):
        assert count(StyleGAN2DiscriminatorBank(FFHQ_256[::-1], num_branches=1)) == 24_001_089


@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize("channels", [(8, 6), (4, 3)])
def test_a_modulated_convolution_is_one_of_a_weight_per_image(
    channels: tuple[int, int], demodulate: bool, upsample: bool
) -> None:
    conv = ModulatedConv2d(8, 6, 3, style_dim=5, demodulate=demodulate, upsample=upsample).double()
    active, out = channels
    x, styles = torch.randn(3, active, 4, 4).double(), torch.randn(3, 5).double()
    images = []
    for image, style in zip(x, styles, strict=True):
        scales = (conv.affine.weight @ style / math.sqrt(5) + conv.affine.bias)[:active]
        weight = conv.weight[:out, :active] * scales[None, :, None, None]
        weight = weight / math.sqrt(active * 9)
        if demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if upsample:
            spread = torch.zeros(active, 11, 11).double()  # zeros between pixels, and two around
            spread[:, 2:-2:2, 2:-2:2] = image
            smooth = torch.outer(*[torch.tensor([1.0, 3.0, 3.0, 1.0]).double() / 4] * 2)
            large = F.conv2d(spread[None], weight.flip(2, 3))  # a convolution proper, not a correlation
            images.append(F.conv2d(large, smooth.expand(out, 1, 4, 4), padding=1, groups=out)[0])
        else:
            images.append(F.conv2d(image[None], weight, padding=1)[0])
    torch.testing.assert_close(conv(x, styles, out / 6), torch.stack(images))


@pytest.mark.parametrize("width", WIDTHS)
def test_demodulated_outputs_have_variance_one_at_every_width(width: float) -> None:
    conv = ModulatedConv2d(64, 64, 3, style_dim=8)
    x = torch.randn(64, int(64 * width), 8, 8)
    with torch.no_grad():
        inside = conv(x, torch.randn(64, 8), width)[..., 1:-1, 1:-1]
    assert float(inside.var()) == pytest.approx(1, rel=0.05)


def test_images_begin_with_the_same_variance_at_every_width() -> None:
    variances = []
    for _ in range(100):
        generator = StyleGAN2Generator((32, 32), 8, 1)
        latents = generator.draw_inputs(16).latents
        with torch.no_grad():
            variances.append(torch.stack([generator(latents, width=width).var() for width in generator.widths]))
    means = torch.stack(variances).mean(0)
    torch.testing.assert_close(means / means.mean(), torch.ones(4), rtol=0, atol=0.05)


@pytest.mark.parametrize("num_classes", [0, 3])
def test_slices_and_folded_slices_generate_the_same(num_classes: int) -> None:
    generator = trained(num_classes=num_classes)
    inputs = generator.draw_inputs(5, torch.Generator().manual_seed(0))
    for width in WIDTHS:
        images = generator(*inputs, width=width)
        assert images.abs().max() < 1
        assert images.std() > 0.01
        torch.testing.assert_close(generator.slice(width)(*inputs), images, rtol=0, atol=1e-6)
        torch.testing.assert_close(folded_slice(generator, width)(*inputs), images, rtol=0, atol=2e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_folded_slice_keeps_the_precision(dtype: torch.dtype) -> None:
    generator = trained().to(dtype)
    latents = torch.randn(3, 16, dtype=dtype)
    tolerance = 1e-9 if dtype == torch.float64 else 0.1
    expected = generator(latents, width=0.5)
    torch.testing.assert_close(folded_slice(generator, 0.5)(latents), expected, rtol=0, atol=tolerance)


def test_autocast_keeps_activations_in_half_and_demodulates_in_whole_precision() -> None:
    generator = trained().train()
    latents = torch.randn(4, 16)
    kinds = []
    for layer in generator.layers:
        layer.register_forward_hook(lambda _, __, result: kinds.append(result.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        generator(latents, noise=generator.draw_noise(4))
    assert kinds == [torch.bfloat16] * len(kinds)
    scales, squares = 1 + torch.rand(4, 64), torch.rand(32, 64)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(demodulation(scales, squares), demodulation(scales, squares), rtol=0, atol=0)
        inside = demodulation(scales, squares)
    torch.testing.assert_close(inside, demodulation(scales, squares), rtol=1e-6, atol=0)


def test_an_equalized_layer_learns_as_slowly_as_it_says() -> None:
    layer = EqualizedLinear(4, 3, bias=0.5, lr_multiplier=0.01)
    weight, bias = layer.scaled(3)
    torch.testing.assert_close(bias, torch.full((3,), 0.5))
    torch.testing.assert_close(weight, layer.weight * 0.01 / 2)
    x = torch.randn(6, 4)
    torch.testing.assert_close(layer(x, 2), layer(x)[:, :2])


def test_images_are_linear_in_training_and_clamped_outside_of_it() -> None:
    generator = StyleGAN2Generator((16, 16), 8, 1, widths=(0.5, 1.0))
    latents = torch.randn(8, 8)
    images = generator(latents)
    assert images.abs().max() > 1.5
    torch.testing.assert_close(generator.eval()(latents), images.clamp(-1, 1))


# Noise and style mixing


def test_without_noise_images_depend_on_the_latent_alone_and_with_it_on_the_noise() -> None:
    generator = trained()
    inputs = generator.draw_inputs(4)
    noise = generator.draw_noise(4, torch.Generator().manual_seed(0))
    for width in WIDTHS:
        assert torch.equal(generator(*inputs, width=width), generator(*inputs, width=width))
        assert not torch.allclose(generator(*inputs, width=width, noise=noise), generator(*inputs, width=width))


def test_the_nets_own_noise_is_noise_like_any_other() -> None:
    generator = trained()
    latents = torch.randn(2, 16)
    maps = tuple(layer.get_buffer("noise").expand(2, -1, -1, -1) for layer in generator.layers)
    torch.testing.assert_close(generator(latents, noise=StyleNoise(maps)), generator(latents))


def test_noise_has_a_map_of_each_layers_side_and_comes_from_its_source() -> None:
    generator = trained(style_mixing=0.5)
    draws: list[Any] = [generator.draw_noise(3, torch.Generator().manual_seed(1)) for _ in range(2)]
    first, second = draws
    assert [tuple(each.shape) for each in first.maps] == [(3, 1, side, side) for side in (4, 8, 8, 16, 16)]
    assert torch.equal(first.maps[-1], second.maps[-1])
    assert torch.equal(first.crossovers, second.crossovers)


def test_as_many_images_are_mixed_as_is_said_from_every_layer_on() -> None:
    noise: Any = trained(style_mixing=0.9).draw_noise(20_000, torch.Generator().manual_seed(0))
    shares = noise.crossovers.bincount() / 20_000
    assert shares.tolist() == pytest.approx([0, *[0.18] * 5, 0.1], abs=0.01)  # 6 is behind all layers


def test_a_mixed_image_has_the_styles_of_one_latent_and_then_of_the_other() -> None:
    generator = trained(style_mixing=1.0)
    latents, noise = torch.randn(3, 16), generator.draw_noise(3)
    noise = noise._replace(crossovers=torch.tensor([1, 3, 6]))
    styles = generator.styles(latents, None, noise)
    own, others = generator.mapping(latents, None), generator.mapping(noise.others, None)
    for image, crossover in enumerate((1, 3, 6)):
        for layer, style in enumerate(styles):
            assert torch.equal(style[image], (own if layer < crossover else others)[image])


# Truncation


@pytest.mark.parametrize("num_classes", [0, 3])
@pytest.mark.parametrize("width", [0.25, 1.0])
def test_truncation_moves_styles_towards_their_mean(width: float, num_classes: int) -> None:
    generator = trained(num_classes=num_classes)
    inputs = generator.draw_inputs(4)
    mean = generator.mean_style()
    truncated = generator.truncated(0.3)(*inputs, width=width)
    handle = generator.mapping.register_forward_hook(lambda _, __, styles: mean + 0.3 * (styles - mean))
    torch.testing.assert_close(truncated, generator(*inputs, width=width), rtol=0, atol=1e-5)
    handle.remove()


def test_truncation_goes_from_one_image_to_all() -> None:
    generator = trained()
    latents = torch.randn(6, 16)
    torch.testing.assert_close(generator.truncated(1.0)(latents), generator(latents), rtol=0, atol=1e-6)
    none = generator.truncated(0.0)(latents)
    torch.testing.assert_close(none, none[:1].expand_as(none), rtol=0, atol=1e-6)


def test_the_mean_style_is_the_mean_of_many_latents() -> None:
    generator = trained()
    styles = generator.mapping(torch.randn(50_000, 16), None)
    error = (generator.mean_style() - styles.mean(0)).abs() / styles.std(0)
    assert error.max() < 0.05


def test_truncation_leaves_the_generator_as_it_is() -> None:
    generator = trained()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    generator.truncated(0.5)
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())


@pytest.mark.parametrize("truncation", [-0.1, 1.1, math.nan])
def test_a_truncation_out_of_range_is_refused(truncation: float) -> None:
    with pytest.raises(SlimGANError, match="the truncation is"):
        trained().truncated(truncation)


def test_what_cannot_be_truncated_says_so() -> None:
    with pytest.raises(SlimGANError, match="a DCGANGenerator has no styles; leave the truncation out"):
        DCGANGenerator((8, 4)).truncated(0.5)
    with pytest.raises(SlimGANError, match="truncate the generator before it is folded"):
        folded_slice(trained(), 0.5).truncated(0.5)


@pytest.mark.parametrize("settings", [{"style_mixing": 1.5}, {"mapping_layers": 0}])
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SlimGANError, match=next(iter(settings))):
        StyleGAN2Generator((8, 8), **settings)


# Discriminators


def test_the_minibatch_deviation_is_that_of_each_group_of_neighbours() -> None:
    x = torch.randn(6, 4, 2, 2).double()
    result = MinibatchDeviation(3)(x)
    assert torch.equal(result[:, :4], x)
    for group in (slice(0, 3), slice(3, 6)):
        deviations = ((x[group] - x[group].mean(0)).square().mean(0) + 1e-8).sqrt()
        torch.testing.assert_close(result[group, 4], deviations.mean().expand(3, 2, 2))


def test_all_discriminators_see_each_side_in_groups_of_its_own() -> None:
    bank = StyleGAN2DiscriminatorBank((8, 8, 8), num_branches=2, num_shared=1, num_classes=3, mapping_layers=1)
    real, fakes = torch.randn(8, 3, 16, 16), [torch.randn(8, 3, 16, 16) for _ in range(2)]
    labels = torch.arange(8) % 3
    for branch, pair in enumerate(bank.forward_all(real, fakes, labels, [labels, labels])):
        for side, images in zip(pair, (real, fakes[branch]), strict=True):
            torch.testing.assert_close(side, bank(images, labels, branch=branch))


def test_alike_images_in_half_precision_have_finite_gradients() -> None:
    x = (torch.ones(4, 3, 4, 4) + 1e-4 * torch.randn(4, 3, 4, 4)).half().requires_grad_()
    MinibatchDeviation(4)(x)[:, -1].sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_a_bank_of_one_stage_is_refused() -> None:
    for bank in (StyleGAN2DiscriminatorBank, R3DiscriminatorBank):
        with pytest.raises(SlimGANError, match=r"channels are \[16\]; give at least 2 numbers"):
            bank((16,))


def test_nets_without_noise_refuse_it() -> None:
    noise = trained().draw_noise(2)
    for net in (folded_slice(trained(), 1.0), DCGANGenerator((8, 4), latent_dim=16)):
        with pytest.raises(SlimGANError, match=f"a {type(net).__name__} takes no noise; leave it out"):
            net(torch.randn(2, 16), noise=noise)


def test_images_that_are_no_whole_groups_are_refused() -> None:
    bank = StyleGAN2DiscriminatorBank((8, 8), num_branches=1)
    with pytest.raises(SlimGANError, match="compare groups of 4 images, and got 6; give a multiple"):
        bank(torch.randn(6, 3, 8, 8), branch=0)


def logits_by_label(bank: StyleGAN2DiscriminatorBank) -> Tensor:
    images = torch.randn(1, 3, 8, 8).expand(3, -1, -1, -1)
    result: Tensor = bank(images, torch.arange(3), branch=0)
    return result


def test_labels_change_logits() -> None:
    bank = StyleGAN2DiscriminatorBank((8, 8), minibatch_group=1, num_branches=1, num_classes=3)
    assert len(logits_by_label(bank).unique()) == 3
