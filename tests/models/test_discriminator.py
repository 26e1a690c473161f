"""Banks: sharing, branches, and the single pass of training."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import DCGANDiscriminatorBank, DiscriminatorBank, ResNetDiscriminatorBank
from slimgan_pl.models.resnet import convolve_and_pool


def dcgan(num_shared: int, num_classes: int = 0) -> DiscriminatorBank:
    return DCGANDiscriminatorBank((4, 8), 4, 2, num_branches=3, num_shared=num_shared, num_classes=num_classes)


def resnet(num_shared: int, num_classes: int = 0) -> DiscriminatorBank:
    return ResNetDiscriminatorBank((4, 8, 8), 2, 2, num_branches=3, num_shared=num_shared, num_classes=num_classes)


@pytest.mark.parametrize("build", [dcgan, resnet])
@pytest.mark.parametrize("num_classes", [0, 5])
@pytest.mark.parametrize("num_shared", range(4))
def test_the_pass_for_training_equals_one_branch_at_a_time(build: Any, num_classes: int, num_shared: int) -> None:
    bank = build(num_shared, num_classes).eval()
    real, fakes = torch.randn(4, 2, 8, 8), [torch.randn(3, 2, 8, 8) for _ in range(3)]
    labels = torch.arange(4) if num_classes else None
    fake_labels = [torch.arange(3) + i for i in range(3)] if num_classes else None
    pairs = bank.forward_all(real, fakes, labels, fake_labels)
    for branch, (real_logits, fake_logits) in enumerate(pairs):
        fake_label = fake_labels[branch] if fake_labels else None
        torch.testing.assert_close(real_logits, bank(real, labels, branch=branch))
        torch.testing.assert_close(fake_logits, bank(fakes[branch], fake_label, branch=branch))
        assert real_logits.shape == (4, 1)


@pytest.mark.parametrize(("build", "stages"), [(dcgan, 3), (resnet, 3)])
def test_shared_stages_are_the_same_for_every_branch(build: Any, stages: int) -> None:
    bank = build(stages)
    assert bank.num_stages == stages
    assert all(len(branch) == 0 for branch in bank.branches)
    with pytest.raises(SlimGANError, match=f"0 to {stages}"):
        build(stages + 1)


def test_a_branch_gets_no_gradient_from_another() -> None:
    bank = dcgan(num_shared=1)
    bank(torch.randn(2, 2, 8, 8), branch=1).sum().backward()
    assert all(p.grad is None for p in bank.branches[0].parameters())
    assert all(p.grad is not None for p in bank.branches[1].parameters())
    assert all(p.grad is not None for p in bank.trunk.parameters())


@pytest.mark.parametrize("rectified", [True, False])
def test_a_residual_discriminator_equals_a_plain_computation(rectified: bool) -> None:
    bank: Any = ResNetDiscriminatorBank((4, 8), 1, 2, num_branches=1, num_classes=3, rectified_shortcut=rectified)
    bank.eval()
    x, labels = torch.randn(2, 2, 8, 8), torch.tensor([2, 0])
    first, second = bank.branches[0]
    h = F.relu(F.conv2d(x, first.conv1.weight, first.conv1.bias, padding=1))
    h = F.avg_pool2d(F.conv2d(h, first.conv2.weight, first.conv2.bias, padding=1), 2)
    h = h + F.avg_pool2d(F.conv2d(x, first.shortcut.weight, first.shortcut.bias), 2)
    start = F.relu(h)
    r = F.relu(F.conv2d(start, second.conv1.weight, second.conv1.bias, padding=1))
    r = F.conv2d(r, second.conv2.weight, second.conv2.bias, padding=1)
    h = r + F.conv2d(start if rectified else h, second.shortcut.weight, second.shortcut.bias)
    features = F.relu(h).sum(dim=(2, 3))
    head = bank.heads[0]
    expected = F.linear(features, head.linear.weight, head.linear.bias)
    expected = expected + (head.embedding.weight[labels] * features).sum(1, keepdim=True)
    torch.testing.assert_close(bank(x, labels, branch=0), expected)


def test_every_layer_is_spectrally_normalised() -> None:
    bank = resnet(1, 5)
    layers = [m for m in bank.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear | torch.nn.Embedding)]
    assert layers
    assert all(torch.nn.utils.parametrize.is_parametrized(layer, "weight") for layer in layers)


@pytest.mark.parametrize("num_classes", [0, 5])
def test_a_shared_head_is_one_last_layer_for_separate_branches(num_classes: int) -> None:
    bank = DCGANDiscriminatorBank((4, 8), 4, 2, num_branches=3, num_classes=num_classes, share_head=True)
    labels = torch.tensor([0, 1]) if num_classes else None
    bank(torch.randn(2, 2, 8, 8), labels, branch=2).sum().backward()
    assert len(bank.heads) == 1
    assert all(p.grad is not None for p in bank.heads.parameters())
    assert all(p.grad is None for p in bank.branches[0].parameters())
    assert all(p.grad is not None for p in bank.branches[2].parameters())


def test_a_convolution_and_the_pooling_after_it_are_one_convolution() -> None:
    conv = torch.nn.Conv2d(5, 7, 3, padding=1).double()
    x = torch.randn(2, 5, 8, 8, dtype=torch.float64)
    expected = F.avg_pool2d(conv(x), 2)
    torch.testing.assert_close(convolve_and_pool(conv, x), expected, rtol=1e-12, atol=1e-12)
