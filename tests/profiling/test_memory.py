"""The peak of memory is the size of the tensors that live at once."""

from collections.abc import Callable

import pytest
import torch

from slimgan_pl import SlimGANError
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator
from slimgan_pl.profiling import memory, narrow_net, peak_bytes

FLOAT = 4  # bytes


def dcgan() -> DCGANGenerator:
    return DCGANGenerator((8, 4), bottom_size=8, latent_dim=6, image_channels=1, widths=(0.5, 1.0))


def resnet() -> ResNetGenerator:
    return ResNetGenerator((8, 8), bottom_size=8, latent_dim=6, widths=(0.5, 1.0))


@pytest.mark.parametrize("batch_size", [1, 5])
@pytest.mark.parametrize("width", [0.5, 1.0])
def test_a_dcgans_peak_is_the_closed_form(width: float, batch_size: int) -> None:
    """A norm of the block reads one image of its channels and writes another, while the stem's output still lives."""
    stem, block = 8 * width * 8 * 8, 4 * width * 16 * 16
    assert peak_bytes(narrow_net(dcgan(), width), batch_size) == batch_size * (stem + 2 * block) * FLOAT


@pytest.mark.parametrize("batch_size", [1, 5])
@pytest.mark.parametrize("width", [0.5, 1.0])
def test_a_resnets_peak_is_the_closed_form(width: float, batch_size: int) -> None:
    """In a block's last ReLU: the block's input, what the ReLU reads and writes, and what the norm was given."""
    low, high = 8 * width * 8 * 8, 8 * width * 16 * 16
    assert peak_bytes(narrow_net(resnet(), width), batch_size) == batch_size * (low + 3 * high) * FLOAT


@pytest.mark.parametrize("make", [dcgan, resnet])
def test_folding_lowers_the_peak(make: Callable[[], SlimmableGenerator]) -> None:
    plain, folded = (peak_bytes(narrow_net(make(), 1.0, form), 4) for form in ("slice", "folded"))
    assert folded < plain


def test_what_is_there_before_does_not_count() -> None:
    net = narrow_net(dcgan(), 1.0)
    with memory.LiveStorages(list(net.parameters())) as storages:
        kept = net.get_parameter("image.weight").view(-1)[1:]
        assert storages.peak == 0
        torch.zeros(10)
        torch.zeros(30)
    assert kept.numel() > 0
    assert storages.peak == 30 * FLOAT, "the first is gone before the second comes"


def test_a_batch_that_the_memory_cannot_hold_is_refused_before_it_is_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    net = narrow_net(dcgan(), 1.0)
    per_image = (8 * 64 + 2 * 4 * 256 + 6) * FLOAT
    monkeypatch.setattr(memory, "memory_size", lambda device: 10 * per_image)
    memory.check_memory(net, 10)
    with pytest.raises(SlimGANError, match=r"a batch of 11 images: each takes 0\.0103 MB.* lower the batch"):
        memory.check_memory(net, 11)
    monkeypatch.setattr(memory, "memory_size", lambda device: None)
    memory.check_memory(net, 10**30)
