"""Gradient penalties are what they say, in mean and in precision."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from one_batch import OneBatch
from torch import Tensor

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.models.generator import Inputs
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, Objective
from slimgan_pl.training.penalties import Penalty, choose_images, finite_difference, gradient_norms
from slimgan_pl.training.real_and_fake import Randomness
from slimgan_pl.training.updates import Updates

IMAGES = 8


def make_bank() -> DCGANDiscriminatorBank:
    torch.manual_seed(0)
    return DCGANDiscriminatorBank((8, 16), image_channels=1, num_branches=2, num_shared=1, spectral_norm=False)


def test_the_norm_of_a_linear_discriminators_gradient_is_that_of_its_weights() -> None:
    weights = torch.randn(1, 8, 8)
    norms = gradient_norms(lambda images: (images * weights).sum((1, 2, 3))[:, None], torch.randn(3, 1, 8, 8))
    torch.testing.assert_close(norms, weights.square().sum().expand(3))


def test_finite_differences_have_the_mean_of_exact_norms() -> None:
    bank, images, epsilon = make_bank(), torch.randn(IMAGES, 1, 8, 8), 0.01
    exact = gradient_norms(lambda inputs: bank(inputs, branch=1), images).mean()
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        logits, total = bank(images, branch=1), torch.zeros(())
        for _ in range(2000):
            moved = images + epsilon * torch.randn(images.shape, generator=source)
            total += finite_difference(logits, bank(moved, branch=1), epsilon).mean()
    assert total / 2000 == pytest.approx(exact.item(), rel=0.05)


@pytest.mark.parametrize("method", ["finite-difference", "exact"])
def test_a_penalty_is_computed_in_float32_under_autocast(method: str) -> None:
    """In bfloat16 a finite difference is too large."""

    def penalty(precision: torch.dtype | None) -> Tensor:
        torch.manual_seed(0)
        generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0)).eval()
        objective = Objective(ADVERSARIAL_LOSSES["relativistic"], "next", 20.0, True)
        settings = Penalty(0.1, "real", method)  # type: ignore[arg-type]
        updates = Updates(generator, make_bank(), objective, penalty=settings)
        real, inputs = torch.randn(IMAGES, 1, 8, 8), dict.fromkeys(range(2), Inputs(torch.randn(IMAGES, 8)))
        randomness = Randomness(directions=torch.randn(2, 1, 8, 8))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision is not None):
            metrics, _ = updates.train_discriminators(real, None, inputs, randomness, penalize=True)
        return torch.stack(list(metrics["gradient_penalty"].values()))

    torch.testing.assert_close(penalty(torch.bfloat16), penalty(None), rtol=1e-4, atol=0)


def test_a_batch_and_its_parts_penalize_the_same_images() -> None:
    parts = [part * 8 + choose_images(2, 8) for part in range(3)]
    assert torch.equal(torch.cat(parts), choose_images(6, 24))


def test_a_lazy_penalty_is_logged_with_its_last_value_also_after_a_resume(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    found: list[tuple[float, ...]] = []

    class Look(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
            found.append(tuple(float(each) for each in pl_module.reports[-1].metrics["gradient_penalty"].values()))

    data = OneBatch(torch.randn(6, 1, 8, 8))
    trainer = make_trainer(max_steps=5, callbacks=[Look()])
    trainer.fit(make_model(penalty=Penalty(0.1, every=3)), data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    make_trainer(max_steps=7, callbacks=[Look()]).fit(
        make_model(penalty=Penalty(0.1, every=3)), data, ckpt_path=tmp_path / "last.ckpt"
    )
    assert [found.index(values) for values in found] == [0, 0, 0, 3, 3, 3, 6]
    assert all(min(values) > 0 for values in found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0.0}, "the penalty's share is 0.0; give more than 0 and at most 1"),
        ({"share": 1.5}, "the penalty's share is 1.5"),
        ({"epsilon": 0.0}, "the penalty's epsilon is 0.0; give more than 0, such as 0.01"),
        ({"gamma": -1.0}, "the penalty's gamma is -1.0"),
        ({"every": 0}, "the penalty's every is 0"),
        ({"images": "all"}, "the penalty's images is 'all'; choose one of both, real, fake"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(SlimGANError, match=message):
        Penalty(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["compile", "cuda_graphs"])
def test_an_exact_penalty_of_compiled_or_captured_nets_is_refused(name: str) -> None:
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0))
    with pytest.raises(SlimGANError, match=f"{name} does not have; set --model.penalty.method finite-difference, or"):
        SlimGAN(generator, make_bank(), penalty=Penalty(0.1, method="exact"), **{name: True})  # type: ignore[arg-type]
