"""Checkpoints read without Lightning."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.runs.checkpoint_reader import load_generator
from slimgan_pl.runs.checkpoints import load_model

OLD = Path(__file__).parents[1] / "assets" / "checkpoint_0.1.0.ckpt"

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def save_changed(tmp_path: Path) -> Callable[[Change], Path]:
    """Return a function that saves a good checkpoint with a change."""

    def save(change: Change) -> Path:
        checkpoint = torch.load(OLD, weights_only=True)
        change(checkpoint)
        torch.save(checkpoint, tmp_path / "changed.ckpt")
        return tmp_path / "changed.ckpt"

    return save


def test_the_generator_is_that_of_the_whole_model() -> None:
    whole, alone = load_model(OLD).generator, load_generator(OLD)
    latents = torch.randn(4, alone.latent_dim)
    assert not alone.training
    assert type(alone) is type(whole)
    for width in alone.widths:
        assert torch.equal(alone(latents, width=width), whole(latents, width=width))


def test_a_generator_that_was_trained_alone_is_that_of_its_width(
    save_changed: Callable[[Change], Path], make_model: Callable[..., SlimGAN]
) -> None:
    model = make_model(individual=0.5).eval()
    path = save_changed(lambda c: c.update(hyper_parameters=dict(model.hparams), state_dict=model.state_dict()))
    alone = load_generator(path)
    latents = torch.randn(4, alone.latent_dim)
    assert alone.widths == (1.0,)
    assert torch.equal(alone(latents), model.generator(latents))


@pytest.mark.parametrize("class_path", ["evil.Thing", "slimgan_pl.runs.folder.RunFolder", "torch.nn.Linear"])
def test_another_class_in_place_of_the_generator_is_not_built(
    class_path: str, save_changed: Callable[[Change], Path]
) -> None:
    path = save_changed(lambda c: c["hyper_parameters"]["generator"].update(class_path=class_path, init_args={}))
    with pytest.raises(SlimGANError, match=r"is not of this package|build no generator"):
        load_generator(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["hyper_parameters"].update(generator={"class_path": "evil.Thing", "init_args": {}}),
        lambda c: c["hyper_parameters"].update(generator="os.system"),
    ],
)
def test_a_checkpoint_that_names_other_classes_is_refused(
    change: Change, save_changed: Callable[[Change], Path]
) -> None:
    with pytest.raises(SlimGANError, match="--trust_checkpoint true"):
        load_generator(save_changed(change))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["hyper_parameters"].update(evaluator={"class_path": "evil.Thing"}),
        lambda c: c["hyper_parameters"].update(generator_optimizer="os.system"),
    ],
)
def test_classes_that_a_generator_does_not_need_are_not_looked_at(
    change: Change, save_changed: Callable[[Change], Path]
) -> None:
    assert load_generator(save_changed(change)).latent_dim


@pytest.mark.parametrize(
    "arguments", [{"channels": "abc"}, {"channels": 3}, {"channels": []}, {"widths": None}, {"no_such": 1}]
)
def test_settings_that_build_nothing_are_refused(
    arguments: dict[str, Any], save_changed: Callable[[Change], Path]
) -> None:
    path = save_changed(lambda c: c["hyper_parameters"]["generator"]["init_args"].update(arguments))
    with pytest.raises(SlimGANError):
        load_generator(path)


def test_weights_have_to_fit(save_changed: Callable[[Change], Path]) -> None:
    with pytest.raises(SlimGANError, match=r"does not fit these nets: generator\.image\.weight is missing there"):
        load_generator(save_changed(lambda c: c["state_dict"].pop("generator.image.weight")))
    with pytest.raises(SlimGANError, match="NaN or infinite"):
        load_generator(save_changed(lambda c: c["state_dict"]["generator.image.weight"].fill_(torch.nan)))
