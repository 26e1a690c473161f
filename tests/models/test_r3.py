"""R3 is the published net at width 1, and a narrower one of the same kind at every other width."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import SlicedGroupedConv2d
from slimgan_pl.models import R3DiscriminatorBank, R3Generator, count_macs, count_parameters
from slimgan_pl.models.r3 import R3Block

EIGHTHS = tuple(number / 8 for number in range(1, 9))


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@torch.no_grad()
def trained(generator: R3Generator) -> R3Generator:
    """Return it with the last convolutions of its blocks away from zero, in evaluation mode."""
    for name, weight in generator.named_parameters():
        if name.endswith(("conv3.weight", "bias")):
            weight.normal_(std=0.1)
        if name.startswith("image"):
            weight.mul_(0.1)  # images within [-1, 1]
    return generator.eval()


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"channels": [768] * 4 + [384, 192, 96]}, 23_057_952),  # FFHQ 256: 23.058 M
        ({"channels": [768] * 4 + [384]}, 22_429_824),  # FFHQ 64: 22.43 M
        ({"channels": [768] * 4}, 20_732_160),
        ({"channels": [768] * 4, "num_classes": 10}, 20_781_952),  # CIFAR-10: 20.78 M
        ({"channels": [1536] * 4, "group_size": 32, "num_classes": 1000}, 82_914_304),  # ImageNet 32: 82.9 M
    ],
)
def test_the_published_generators_have_their_parameters(settings: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        assert count(R3Generator(**settings)) == parameters


def test_the_published_discriminator_has_its_parameters() -> None:
    with torch.device("meta"):
        assert count(R3DiscriminatorBank([96, 192, 384] + [768] * 4, num_branches=1)) == 23_009_568  # 23.010 M


def test_group_size_kept_gives_the_known_cost_of_every_width() -> None:
    with torch.device("meta"):
        generator = R3Generator([768] * 4)
    millions = [count_parameters(generator, width) / 1e6 for width in generator.widths]
    assert millions == pytest.approx([1.64, 5.65, 12.01, 20.73], abs=0.006)
    generator = R3Generator([128] * 4)
    assert [count_macs(generator, width) / 1e9 for width in generator.widths] == pytest.approx(
        [0.036, 0.095, 0.18, 0.28], abs=0.004
    )


@pytest.mark.parametrize("num_classes", [0, 3])
def test_a_slice_generates_the_same_at_every_multiple_of_eight_channels(num_classes: int) -> None:
    generator = trained(R3Generator((64, 64, 64), 1, latent_dim=8, widths=EIGHTHS, num_classes=num_classes))
    inputs = generator.draw_inputs(4, torch.Generator().manual_seed(0))
    for width in EIGHTHS:
        images = generator(*inputs, width=width)
        assert images.abs().max() < 1
        assert images.std() > 0.01
        narrow = generator.slice(width)
        assert narrow.channels == (int(64 * width),) * 3
        torch.testing.assert_close(narrow(*inputs), images, rtol=0, atol=1e-6)


def test_a_narrow_block_is_an_ordinary_block_of_fewer_groups() -> None:
    block: Any = R3Block(16, group_size=8, num_blocks=1).double()
    nn.init.normal_(block.conv3.weight)
    x = torch.randn(2, 4, 5, 5, dtype=torch.float64)
    inner = F.conv2d(x, block.conv1.weight[:8, :4] * 2, block.conv1.bias[:8])  # a quarter of the inputs
    inner = F.leaky_relu(inner, 0.2)
    inner = F.leaky_relu(F.conv2d(inner, block.conv2.weight[:8], block.conv2.bias[:8], padding=1), 0.2)
    expected = x + F.conv2d(inner, block.conv3.weight[:4, :8] * 2)
    torch.testing.assert_close(block(x, 0.25), expected)


@pytest.mark.parametrize("channels", [8, 16, 24])
def test_the_first_groups_of_a_convolution_are_those_of_the_whole(channels: int) -> None:
    conv = SlicedGroupedConv2d(24, 8, 3, padding=1).double()
    x = torch.randn(2, 24, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(conv(x[:, :channels]), conv(x)[:, :channels])


def test_images_begin_with_the_same_variance_at_every_width() -> None:
    variances = []
    for _ in range(100):
        generator = R3Generator((32, 32, 32), 1, latent_dim=16)
        latents = generator.draw_inputs(16).latents
        with torch.no_grad():
            variances.append(torch.stack([generator(latents, width=width).var() for width in generator.widths]))
    means = torch.stack(variances).mean(0)
    torch.testing.assert_close(means / means.mean(), torch.ones(4), rtol=0, atol=0.05)


@pytest.mark.parametrize("width", [0.25, 1.0])
def test_blocks_begin_as_the_identity(width: float) -> None:
    x = torch.randn(2, int(32 * width), 4, 4)
    assert torch.equal(R3Block(32, 16, 8)(x, width), x)


def test_weights_begin_with_the_published_scales() -> None:
    block = R3Block(512, 16, num_blocks=16)
    gain = (2 / 1.04) ** 0.5 / 2  # the fourth root of 16 blocks
    assert float(block.conv1.weight.detach().std()) == pytest.approx(gain / 512**0.5, rel=0.02)
    assert float(block.conv2.weight.detach().std()) == pytest.approx(gain / (9 * 16) ** 0.5, rel=0.02)


def test_images_are_linear_in_training_and_clamped_outside_of_it() -> None:
    generator = R3Generator((16, 16), 1, widths=(0.5, 1.0))
    nn.init.normal_(generator.image.weight, std=3.0)
    latents = torch.randn(8, 64)
    images = generator(latents)
    assert images.abs().max() > 1.5
    torch.testing.assert_close(generator.eval()(latents), images.clamp(-1, 1))


def logits(bank: R3DiscriminatorBank, images: Tensor, labels: Tensor | None = None) -> Tensor:
    result: Tensor = bank(images, labels, branch=0)
    return result


def test_labels_change_images_and_logits() -> None:
    generator = R3Generator((16, 16), 1, num_classes=3, widths=(0.5, 1.0))
    latents, labels = torch.randn(1, 64).expand(3, -1), torch.arange(3)
    images = generator(latents, labels)
    assert len(images.unique(dim=0)) == 3
    bank = R3DiscriminatorBank((8, 8), 1, num_branches=2, num_classes=3)
    assert len(logits(bank, images[:1].expand(3, -1, -1, -1), labels).unique()) == 3


@pytest.mark.parametrize(
    ("channels", "widths", "words"),
    [
        ((64, 36), (0.5, 1.0), r"stage 1 has 18 channels at width 0.5.*no whole groups of 8.*multiples of 8"),
        ((64, 64), (0.3, 1.0), r"64 channels at width 0\.3 would be 19\.2"),
        ((160, 80), (0.25, 1.0), r"stage 1 has 20 channels at width 0\.25.*widths such as 0\.2 or 0\.3"),
    ],
)
def test_channels_that_are_no_whole_groups_name_what_is(
    channels: tuple[int, ...], widths: tuple[float, ...], words: str
) -> None:
    with pytest.raises(SlimGANError, match=words):
        R3Generator(channels, widths=widths)


def test_the_banks_channels_have_to_be_whole_groups_too() -> None:
    with pytest.raises(SlimGANError, match="stage 1 has 12 channels at width 1, which are no whole groups of 8"):
        R3DiscriminatorBank((8, 12))
