"""A run says what is wrong with it, once, and trains as it would without."""

import warnings
from collections.abc import Callable
from functools import partial
from io import BytesIO
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from lightning.pytorch import Trainer
from one_batch import OneBatch

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import Diagnosis
from slimgan_pl.errors import SlimGANWarning

FROZEN = {"generator_optimizer": partial(torch.optim.Adam, lr=0.0)}
STRONG = {"discriminator_optimizer": partial(torch.optim.Adam, lr=0.01)}


@pytest.fixture
def said(make_trainer: Callable[..., Trainer]) -> Callable[..., list[str]]:
    """Return a function that trains a model and returns what is said of it."""

    def train(model: SlimGAN, diagnosis: Diagnosis, steps: int = 16) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            trainer = make_trainer(max_steps=steps, callbacks=[diagnosis])
            trainer.fit(model, OneBatch(torch.rand(16, 1, 8, 8)))
        return [str(each.message) for each in caught if each.category is SlimGANWarning]

    return train


def test_images_that_are_all_alike_are_a_collapse(
    make_model: Callable[..., SlimGAN], said: Callable[..., list[str]]
) -> None:
    model = make_model(**FROZEN)
    torch.nn.init.zeros_(model.generator.image.weight)  # type: ignore[union-attr,arg-type]
    (sentence,) = said(model, Diagnosis(2, 3))
    assert sentence.startswith("the images of widths 0.25, 0.5 and 1 hardly differ from each other")


def test_widths_that_agree_on_other_images_than_the_data_are_named(
    make_model: Callable[..., SlimGAN], said: Callable[..., list[str]]
) -> None:
    model = make_model(**FROZEN)
    with torch.no_grad():
        for norm in model.generator.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.weight.copy_((torch.arange(norm.num_features) < 2).float())  # the channels of the narrowest
    (sentence,) = said(model, Diagnosis(2, 3))
    assert sentence.startswith("all widths generate the same images, which are unlike the training images")


@pytest.mark.parametrize("loss", ["hinge", "non-saturating", "minimax", "wasserstein", "relativistic"])
def test_discriminators_that_have_won_are_named_for_each_loss(
    loss: str, make_model: Callable[..., SlimGAN], said: Callable[..., list[str]]
) -> None:
    (sentence,) = said(make_model(adversarial_loss=loss, **FROZEN, **STRONG), Diagnosis(2, 3))
    assert sentence.startswith("the discriminators of width")
    assert sentence.endswith("for 6 iterations; lower their learning rate, or set --model.penalty.gamma")


def test_discriminators_that_are_certain_of_images_seen_often_overfit(
    make_model: Callable[..., SlimGAN], said: Callable[..., list[str]]
) -> None:
    (sentence,) = said(make_model(**FROZEN, **STRONG), Diagnosis(21, 2), steps=42)
    assert "know the training images by heart; set --model.augmentation.transforms" in sentence


def test_a_width_lags_behind_in_two_evaluations_in_a_row(make_model: Callable[..., SlimGAN]) -> None:
    diagnosis, model = Diagnosis(), make_model()
    state = SimpleNamespace(fn="fit")
    trainer = cast(Trainer, SimpleNamespace(state=state, sanity_checking=False, is_global_zero=True))

    def evaluate(*fid: float) -> None:
        rows = [{"width": width, "fid": value} for width, value in zip(model.generator.widths, fid, strict=True)]
        provenance = {"extractor": {"name": "inception"}, "protocol": {"seeds": [0]}}
        model.results = {"iteration": 1, "widths": rows, **provenance}
        diagnosis.on_validation_end(trainer, model)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(50, 20, 12)
        evaluate(20, 12, 10)
        evaluate(20, 9, 10)
    with pytest.warns(
        SlimGANWarning, match=r"width 0\.25 lags behind: its FID is at least twice that of its neighbours"
    ):
        evaluate(20, 10, 10)


def test_a_resumed_run_does_not_repeat_itself(
    make_model: Callable[..., SlimGAN], said: Callable[..., list[str]]
) -> None:
    first, second = Diagnosis(2, 3), Diagnosis(2, 3)
    model = make_model(**FROZEN)
    torch.nn.init.zeros_(model.generator.image.weight)  # type: ignore[union-attr,arg-type]
    assert len(said(model, first)) == 1
    torch.save(first.state_dict(), saved := BytesIO())
    saved.seek(0)
    second.load_state_dict(torch.load(saved, weights_only=True))
    assert said(model, second) == []


def test_training_is_the_same_with_and_without(
    make_model: Callable[..., SlimGAN], said: Callable[..., list[str]]
) -> None:
    states = []
    for every in (0, 1):
        torch.manual_seed(0)
        model = make_model()
        said(model, Diagnosis(every, 3), steps=5)
        states.append({**model.state_dict(), "random": torch.get_rng_state()})
        assert all(module.training for module in model.modules())
    torch.testing.assert_close(states[0], states[1], rtol=0, atol=0)
