"""Augmentation changes what the discriminators see, with a probability that may follow them."""

from collections.abc import Callable, Sequence
from typing import get_args

import pytest
import torch
from lightning.pytorch import Trainer
from naive import augment_one
from one_batch import OneBatch
from torch import Tensor

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.training.augmentation import Augmentation, Augmenter, TransformName, View, apply_view, make_view

NAMES = get_args(TransformName)


def augment(images: Tensor, numbers: Tensor, names: Sequence[TransformName], p: float) -> Tensor:
    return apply_view(images, make_view(images, numbers, names, p))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 9, 12)])
def test_a_transform_equals_slicing_of_one_image_after_the_other(name: TransformName, shape: tuple[int, ...]) -> None:
    images, numbers = torch.randn(64, *shape, dtype=torch.float64), torch.rand(64, 11)
    expected = torch.stack([augment_one(*each, [name], 0.5) for each in zip(images, numbers, strict=True)])
    torch.testing.assert_close(augment(images, numbers, [name], 0.5), expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_probability_is_the_share_of_changed_images(name: TransformName) -> None:
    images, numbers = torch.randn(2000, 3, 8, 8), torch.rand(2000, 11, generator=torch.Generator().manual_seed(0))
    changed = [(augment(images, numbers, [name], p) != images).flatten(1).any(1).float().mean() for p in (0, 0.3, 1)]
    nothing = 1 / 9 if name == "translation" else 0.0  # a shift by no pixel; others are improbable
    assert changed[0] == 0
    assert changed[1] == pytest.approx(0.3 * (1 - nothing), abs=0.03)
    assert changed[2] == pytest.approx(1 - nothing, abs=0.02)


def test_the_gradient_of_augmented_images_is_that_of_finite_differences() -> None:
    images, numbers = torch.randn(4, 2, 6, 6, dtype=torch.float64, requires_grad=True), torch.rand(4, 11)
    assert torch.autograd.gradcheck(lambda inputs: augment(inputs, numbers, NAMES, 0.8), images)
    assert torch.autograd.gradgradcheck(lambda inputs: augment(inputs, numbers, NAMES, 0.8).square(), images)


def adapted(signs: list[float], p: float = 0.5) -> Augmenter:
    augmenter = Augmenter(Augmentation(["flip"], p, target=0.6, images=1000))
    for iteration, sign in enumerate(signs):
        augmenter.adapt(torch.tensor(sign), iteration, images=10)
    return augmenter


def test_the_probability_moves_every_four_iterations_against_their_mean_sign() -> None:
    assert float(adapted([0.9, 0.9, 0.9]).p) == 0.5
    assert float(adapted([0.9, 0.9, 0.3, 0.5]).p) == pytest.approx(0.54)  # 40 of 1,000 images
    assert float(adapted([0.9, 0.9, 0.1, 0.3]).p) == pytest.approx(0.46)
    assert float(adapted([1.0] * 100).p) == 1
    assert float(adapted([0.0] * 100).p) == 0


def test_an_adapted_probability_is_part_of_the_state_and_a_fixed_one_is_a_setting() -> None:
    assert {*adapted([]).state_dict()} == {"p", "signs"}
    assert not Augmenter(Augmentation(["flip"])).state_dict()


def test_real_and_fake_images_are_augmented_in_both_updates_and_a_fake_alike_at_all_widths(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []

    def watched(images: Tensor, view: View) -> Tensor:
        assert view.source is not None
        seen.append(tuple(view.source.flatten().tolist()))
        return apply_view(images, view)

    monkeypatch.setattr("slimgan_pl.training.update_base.apply_view", watched)
    model = make_model(latents="shared", augmentation=Augmentation(["translation"]))
    make_trainer(max_steps=1).fit(model, OneBatch(torch.zeros(6, 1, 8, 8)))
    critic, last = seen[:4], seen[4:]
    assert len(last) == 3  # of each width; only a relativistic loss compares with real images
    assert len({*critic}) == 2  # of real images, and of all fakes
    assert len({*last}) == 1


def test_a_probability_begins_at_1_and_an_adapted_one_at_0_unless_it_is_given() -> None:
    for p, target, expected in ((None, None, 1.0), (None, 0.6, 0.0), (0.3, None, 0.3), (0.3, 0.6, 0.3)):
        assert Augmenter(Augmentation(["flip"], p, target)).p.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"transforms": ["rotate"]}, "transforms is 'rotate'; choose one of flip, translation, color, cutout"),
        ({"p": 1.5}, "the augmentation's p is 1.5"),
        ({"target": 0.6}, "has target but no transforms; name some, or leave target out"),
        ({"transforms": ["flip"], "target": 2.0}, "the augmentation's target is 2.0"),
        ({"transforms": ["flip"], "images": 0}, "the augmentation's images is 0"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SlimGANError, match=message):
        Augmentation(**settings)  # type: ignore[arg-type]
