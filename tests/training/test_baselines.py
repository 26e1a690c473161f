"""Plain GANs of one width."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    ResNetDiscriminatorBank,
    ResNetGenerator,
    count_macs,
    count_parameters,
)
from slimgan_pl.runs.checkpoints import load_model


def test_an_individual_generator_has_the_parameters_and_the_cost_of_its_width(
    make_model: Callable[..., SlimGAN],
) -> None:
    whole, alone = make_model(), make_model(individual=0.5)
    assert alone.generator.widths == (1.0,)
    assert count_parameters(alone.generator, 1.0) == count_parameters(whole.generator, 0.5)
    assert count_macs(alone.generator, 1.0) == count_macs(whole.generator, 0.5)


def test_an_individual_gan_has_one_full_discriminator() -> None:
    generator = ResNetGenerator((8, 8), widths=(0.5, 1.0), num_classes=3)
    bank = ResNetDiscriminatorBank((4, 8), 1, num_branches=2, num_shared=1, num_classes=3, share_head=True)
    narrow, alone = generator.individual(0.5), bank.individual()
    assert (alone.num_branches, alone.num_shared, len(alone.heads)) == (1, 0, 1)
    one = [p.shape for p in (*bank.trunk.parameters(), *bank.branches[0].parameters(), *bank.heads.parameters())]
    assert [p.shape for p in alone.parameters()] == one
    plain_norms = [m for m in narrow.blocks.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all(not norm.affine for norm in plain_norms), "the usual conditional batch norm has no affine of its own"


def test_an_individual_gan_trains_without_distillation_and_comes_back_from_its_checkpoint(
    make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    generator = DCGANGenerator((8, 8, 8), latent_dim=8, image_channels=1)
    model = SlimGAN(generator, DCGANDiscriminatorBank((4, 4, 8), image_channels=1), individual=0.25)
    trainer = make_trainer(max_steps=2, log_every_n_steps=1)
    trainer.fit(model, DigitsDataModule(batch_size=4))
    said = model.per_width(model.reports[-1].metrics)
    assert "generator_loss/0.25" in said
    assert not any("distillation" in name for name in said)
    trainer.save_checkpoint(tmp_path / "alone.ckpt")
    again = load_model(tmp_path / "alone.ckpt")
    latents = torch.randn(2, 8)
    assert torch.equal(again(latents), model.eval()(latents))
    whole, named = (again.sample(2, width, generator=torch.Generator().manual_seed(0)) for width in (1.0, 0.25))
    assert torch.equal(whole, named)


def test_a_width_that_is_not_in_the_list_is_refused(make_model: Callable[..., SlimGAN]) -> None:
    with pytest.raises(SlimGANError, match=r"0\.3 is not one of this generator's widths"):
        make_model(individual=0.3)
