"""Evaluation: one set of latents, repeatable, and named for its extractor."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from slimgan_pl.errors import UserError
from slimgan_pl.evaluation import DigitsClassifier, Evaluator
from slimgan_pl.evaluation.evaluator import device_of_sums
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator

WIDTHS = (0.25, 0.5, 1.0)


class MeanColour(nn.Module):
    """Features alone: the mean of each colour and of its square."""

    def forward(self, images: Tensor) -> Tensor:
        assert images.dtype == torch.uint8
        means = images.float().mean(dim=(2, 3)) / 255
        return torch.cat([means, means**2], 1)


def generator(**settings: Any) -> SlimmableGenerator:
    net = DCGANGenerator((8, 8, 8), latent_dim=8, image_channels=1, widths=WIDTHS, **settings)
    return net.eval()


def judge(evaluator: Evaluator, net: SlimmableGenerator, real: Tensor) -> dict[str, Any]:
    evaluator.start(net)
    for batch in real.split(30):
        evaluator.add_real(batch)
    return evaluator.judge(net)


def test_an_evaluation_repeats_exactly_and_does_not_depend_on_its_batches() -> None:
    net, real = generator(), torch.rand(64, 1, 16, 16) * 2 - 1
    first = judge(Evaluator(DigitsClassifier(), num_images=50), net, real)
    torch.rand(3)  # the global random state does not matter
    assert judge(Evaluator(DigitsClassifier(), num_images=50), net, real) == first
    other = judge(Evaluator(DigitsClassifier(), num_images=50, batch_size=7), net, real)
    for row, again in zip(first["widths"], other["widths"], strict=True):
        assert row == pytest.approx(again, rel=1e-3)


def test_figures_carry_the_extractors_name() -> None:
    result = judge(Evaluator(DigitsClassifier(), num_images=20), generator(), torch.zeros(20, 1, 16, 16))
    assert {"mic_digits", "consistency_digits"} <= result.keys()
    assert {"fid_digits", "is_digits"} <= result["widths"][0].keys()
    assert [row["width"] for row in result["widths"]] == list(WIDTHS)


def test_an_extractor_without_logits_gives_no_score_unless_there_is_a_classifier() -> None:
    real = torch.rand(20, 1, 16, 16)
    alone = judge(Evaluator(MeanColour(), num_images=20), generator(), real)
    assert "fid_MeanColour" in alone["widths"][0]
    assert "is_MeanColour" not in alone["widths"][0]
    both = judge(Evaluator(MeanColour(), DigitsClassifier(), num_images=20), generator(), real)
    assert both["widths"][0]["is_MeanColour"] >= 1


def test_a_generator_that_draws_the_real_images_has_distance_zero() -> None:
    net = generator()
    latents = torch.randn(40, 8, generator=torch.Generator().manual_seed(7))
    real = net(latents, width=1.0)
    result = judge(Evaluator(MeanColour(), num_images=40, seed=7), net, real)
    assert result["widths"][-1]["fid_MeanColour"] == pytest.approx(0, abs=1e-9)
    assert result["widths"][0]["fid_MeanColour"] > 1e-6


def test_by_default_there_are_as_many_fakes_as_real_images() -> None:
    assert judge(Evaluator(MeanColour()), generator(), torch.rand(33, 1, 16, 16))["num_fake"] == 33


def test_a_conditional_generator_is_judged_on_fixed_labels() -> None:
    net = ResNetGenerator((8, 8), latent_dim=8, image_channels=1, widths=WIDTHS, num_classes=3).eval()
    real = torch.rand(20, 1, 8, 8)
    assert judge(Evaluator(MeanColour()), net, real) == judge(Evaluator(MeanColour()), net, real)


def test_sums_are_kept_on_the_cpu_for_a_device_without_float64() -> None:
    assert device_of_sums(torch.device("mps", 0)) == torch.device("cpu")
    assert device_of_sums(torch.device("cuda", 1)) == torch.device("cuda", 1)


def test_no_real_images_are_a_mistake() -> None:
    with pytest.raises(UserError, match="at least 2"):
        judge(Evaluator(MeanColour()), generator(), torch.rand(1, 1, 16, 16))


def test_one_width_alone_has_no_figures_between_widths() -> None:
    result = judge(Evaluator(DigitsClassifier(), num_images=20), generator().slice(0.5), torch.rand(20, 1, 16, 16))
    assert not {"mic_digits", "consistency_digits", "agreement_digits"} & result.keys()
    assert len(result["widths"]) == 1


def test_features_do_not_depend_on_the_precision_of_training() -> None:
    net, real = generator(), torch.rand(20, 1, 16, 16)
    evaluator = Evaluator(DigitsClassifier(), num_images=20)
    exact = judge(evaluator, net, real)
    evaluator.start(net)
    with torch.autocast("cpu", torch.bfloat16):
        evaluator.add_real(real)
    assert evaluator.judge(net) == exact


def test_an_extractor_of_another_shape_is_refused() -> None:
    class Whole(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.float()

    with pytest.raises(UserError, match=r"the extractor Whole returned shape \(2, 3, 16, 16\)"):
        Evaluator(Whole()).start(generator())
