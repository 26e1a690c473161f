"""A resumed run trains by the settings that are given, from the optimizers' saved states."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from one_batch import OneBatch
from torch import Tensor
from torch.optim import Adam, AdamW, Optimizer

from slimgan_pl import SlimGAN, SlimGANError

SIDES = ("generator_optimizer", "discriminator_optimizer")

IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1

MakeModel = Callable[..., SlimGAN]
MakeTrainer = Callable[..., Trainer]


class Setting(Callback):
    """Changes the settings of one optimizer by hand, when its state has been restored."""

    def __init__(self, side: int, **settings: Any) -> None:
        self.side, self.settings = side, settings

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        for group in trainer.optimizers[self.side].param_groups:
            group.update(self.settings)


class Halving(Callback):
    """Halves the generator's learning rate after each iteration, as a schedule would."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        for group in trainer.optimizers[0].param_groups:
            group["lr"] /= 2


class Other(Adam):
    """Keeps one more state than Adam, as a third-party optimizer may."""

    def step(self, closure: Any = None) -> Any:
        result = super().step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["trace"] = torch.zeros(())
        return result


def two_groups(parameters: Iterable[Tensor]) -> Optimizer:
    first, *rest = parameters
    return Adam([{"params": [first], "lr": 1e-3}, {"params": rest, "lr": 1e-4}] if rest else [{"params": [first]}])


@pytest.fixture
def fit(tmp_path: Path, make_model: MakeModel, make_trainer: MakeTrainer) -> Callable[..., SlimGAN]:
    """Return a function that trains to an iteration, from the checkpoint of another one if that is given."""

    def train(until: int, start: int | None = None, callbacks: Iterable[Callback] = (), **settings: Any) -> SlimGAN:
        torch.manual_seed(0)
        model = make_model(**settings)
        trainer = make_trainer(max_steps=until, callbacks=list(callbacks))
        trainer.fit(model, OneBatch(IMAGES), ckpt_path=None if start is None else tmp_path / f"{start}.ckpt")
        trainer.save_checkpoint(tmp_path / f"{until}.ckpt")
        return model

    return train


def distance(first: SlimGAN, second: SlimGAN) -> float:
    other = second.state_dict()
    return max(float((value - other[name]).abs().max()) for name, value in first.state_dict().items())


@pytest.mark.parametrize("side", [0, 1], ids=SIDES)
@pytest.mark.parametrize("settings", [{"lr": 2e-2}, {"betas": (0.0, 0.9)}, {"weight_decay": 0.5}, {"eps": 1.0}])
def test_a_setting_changed_on_resume_trains_as_one_changed_by_hand(
    side: int, settings: dict[str, Any], fit: Callable[..., SlimGAN]
) -> None:
    fit(2)
    unchanged, by_hand = fit(4, 2), fit(4, 2, [Setting(side, **settings)])
    make = partial(Adam, **{"lr": 2e-4, "betas": (0.5, 0.999), "fused": True, **settings})
    changed = fit(4, 2, **{SIDES[side]: make})
    assert distance(changed, by_hand) == 0
    assert distance(changed, unchanged) > 0


def test_another_class_with_the_same_states_takes_over(fit: Callable[..., SlimGAN]) -> None:
    fit(2)
    decoupled = fit(3, 2, generator_optimizer=partial(AdamW, lr=2e-4, betas=(0.5, 0.999), weight_decay=0.5))
    coupled = fit(3, 2, generator_optimizer=partial(Adam, lr=2e-4, betas=(0.5, 0.999), weight_decay=0.5))
    assert distance(decoupled, coupled) > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (partial(Adam, lr=2e-4, amsgrad=True), r"Adam needs \(max_exp_avg_sq\); .* --model.generator_optimizer"),
        (partial(torch.optim.RMSprop, lr=2e-4), r"RMSprop needs \(square_avg\)"),
        (partial(Other, lr=2e-4), r"Other needs \(trace\)"),
        (two_groups, r"Adam needs \(2 groups of parameters\)"),
    ],
    ids=["a flag", "another class", "a third party's", "groups"],
)
def test_what_the_saved_states_cannot_serve_is_refused(
    make: Callable[..., Optimizer], words: str, fit: Callable[..., SlimGAN]
) -> None:
    fit(1)
    with pytest.raises(SlimGANError, match=words):
        fit(2, 1, generator_optimizer=make)


def test_a_setting_that_has_not_changed_stays_where_a_schedule_moved_it(fit: Callable[..., SlimGAN]) -> None:
    whole = fit(5, callbacks=[Halving()])
    fit(2, callbacks=[Halving()])
    assert distance(fit(5, 2, [Halving()]), whole) == 0


def test_states_of_version_0_1_0_take_new_settings(tmp_path: Path, fit: Callable[..., SlimGAN]) -> None:
    fit(2)
    checkpoint = torch.load(tmp_path / "2.ckpt", weights_only=True)
    del checkpoint["optimizer_settings"]
    torch.save(checkpoint, tmp_path / "2.ckpt")
    by_hand = fit(4, 2, [Setting(0, lr=2e-2)])
    assert distance(fit(4, 2, generator_optimizer=partial(Adam, lr=2e-2, betas=(0.5, 0.999), fused=True)), by_hand) == 0


def test_a_new_patience_takes_effect(fit: Callable[..., SlimGAN]) -> None:
    stop: Any = {"monitor": "generator_loss", "check_on_train_epoch_end": False, "strict": False}
    fit(2, callbacks=[EarlyStopping(patience=3, **stop)])
    callback = EarlyStopping(patience=7, **stop)
    fit(3, 2, [callback])
    assert callback.patience == 7
