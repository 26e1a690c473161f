"""Schedules are pure functions of the images seen."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from one_batch import OneBatch

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.training.augmentation import Augmentation
from slimgan_pl.training.ema import EMA
from slimgan_pl.training.penalties import Penalty
from slimgan_pl.training.schedules import Schedule, Schedules

BATCH_SIZE = 4


def test_values_are_those_of_the_closed_forms() -> None:
    cosine = Schedule(end=1.0, images=100)
    for seen in (0, 25, 50, 100, 1000):
        progress = min(seen / 100, 1)
        assert cosine.value(3.0, seen, 0) == pytest.approx(1 + 2 * (1 + math.cos(math.pi * progress)) / 2)
    linear = Schedule(factor=0.1, shape="linear")
    assert [linear.value(2.0, seen, 200) for seen in (0, 100, 200)] == pytest.approx([2.0, 1.1, 0.2])
    warm = Schedule(factor=0.0, shape="linear", images=100, warm_up=20)
    assert [warm.value(2.0, seen, 0) for seen in (0, 10, 20, 60, 100)] == pytest.approx([0, 1, 2, 1, 0])
    assert [Schedule(shape="constant", warm_up=10).value(2.0, seen, 0) for seen in (5, 10, 99)] == [1.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "a schedule of shape cosine has 0 of end and factor; give either end or factor"),
        ({"end": 1.0, "factor": 0.5}, "has 2 of end and factor; give either end or factor"),
        ({"shape": "constant", "end": 1.0}, "give neither end nor factor"),
        ({"shape": "steps", "end": 1.0}, "the schedule's shape is 'steps'; choose one of cosine, linear, constant"),
        ({"end": -1.0}, "the schedule's end is -1.0"),
        ({"end": 1.0, "images": 0}, "the schedule's images is 0"),
        ({"end": 1.0, "images": 20, "warm_up": 20}, "the schedule's images is 20; it has to be at least 21"),
        ({"shape": "constant", "images": 9}, "a schedule of shape constant has no end; leave its images out"),
    ],
)
def test_numbers_that_make_no_schedule_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SlimGANError, match=message):
        Schedule(**settings)


class WithoutRate(torch.optim.Optimizer):
    """Signs of gradients as steps."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter -= 1e-3 * parameter.grad.sign()
        return loss


def test_an_optimizer_needs_no_learning_rate(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    model = make_model(generator_optimizer=WithoutRate, discriminator_optimizer=WithoutRate)
    before = [parameter.clone() for parameter in model.generator.parameters()]
    make_trainer(max_steps=1).fit(model, OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))
    assert not all(torch.equal(*pair) for pair in zip(before, model.generator.parameters(), strict=True))


class Watch(Callback):
    """Notes the scheduled settings of each iteration."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        first, second = (optimizer.param_groups[0] for optimizer in trainer.optimizers)
        assert first["betas"] == second["betas"]
        updates = pl_module.iteration.updates
        found = {"lr": first["lr"], "lr of the bank": second["lr"], "beta2": first["betas"][1]}
        found |= {"gamma": float(updates.gamma), "p": float(updates.augmenter.p), "half_life": pl_module.half_life}
        self.seen.append(found)


def test_training_follows_its_schedules(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    schedules = Schedules(
        lr=Schedule(factor=0.1, shape="linear"),
        beta2=Schedule(end=0.5, shape="linear", images=2 * BATCH_SIZE),
        gamma=Schedule(end=1.0, shape="linear"),
        half_life=Schedule(end=400.0, shape="linear"),
        p=Schedule(end=0.5, shape="linear"),
    )
    model = make_model(
        penalty=Penalty(0.0),
        ema=EMA(40.0),
        augmentation=Augmentation(["flip"], 0.0),
        schedules=schedules,
        generator_optimizer=lambda parameters: torch.optim.Adam(parameters, 1e-3, (0.0, 0.9)),
        discriminator_optimizer=lambda parameters: torch.optim.Adam(parameters, 2e-3, (0.0, 0.9)),
    )
    watch = Watch()
    make_trainer(max_steps=4, callbacks=[watch]).fit(model, OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))
    expected = {
        "lr": [1e-3 * (1 - 0.9 * step / 4) for step in range(4)],
        "lr of the bank": [2e-3 * (1 - 0.9 * step / 4) for step in range(4)],
        "beta2": [0.9, 0.7, 0.5, 0.5],
        "gamma": [step / 4 for step in range(4)],
        "half_life": [40.0 + 90.0 * step for step in range(4)],
        "p": [0.5 * step / 4 for step in range(4)],
    }
    for name, values in expected.items():
        assert [found[name] for found in watch.seen] == pytest.approx(values), name
    assert "gradient_penalty" in model.reports[-1].metrics  # though gamma begins at 0
    last = {"generator_lr": 1e-3, "discriminator_lr": 2e-3}
    assert {name: model.scheduled[name] for name in last} == pytest.approx(
        {name: value * (1 - 0.9 * 3 / 4) for name, value in last.items()}
    )


def test_a_run_that_resumes_without_its_schedules_has_its_own_settings_again(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    schedules = Schedules(lr=Schedule(factor=0.1), beta1=Schedule(end=0.9))
    data, path = OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)), tmp_path / "last.ckpt"
    trainer = make_trainer(max_steps=3)
    trainer.fit(make_model(schedules=schedules), data)
    assert trainer.optimizers[0].param_groups[0]["lr"] < 2e-4
    trainer.save_checkpoint(path)
    trainer = make_trainer(max_steps=4)
    trainer.fit(make_model(), data, ckpt_path=path)
    for optimizer in trainer.optimizers:
        assert optimizer.param_groups[0]["lr"] == 2e-4
        assert tuple(optimizer.param_groups[0]["betas"]) == (0.5, 0.999)


@pytest.mark.parametrize(
    ("schedules", "settings", "message"),
    [
        ({"p": 0.5}, {}, "nothing for the schedule of p to move; set --model.augmentation.transforms"),
        ({"half_life": 10.0}, {}, "nothing for the schedule of half_life to move; set --model.ema.half_life"),
        (
            {"beta2": 0.5},
            {"generator_optimizer": torch.optim.SGD, "discriminator_optimizer": torch.optim.SGD},
            "nothing for the schedule of beta2 to move; take optimizers with betas, such as Adam",
        ),
        (
            {"lr": 0.5},
            {"generator_optimizer": WithoutRate, "discriminator_optimizer": WithoutRate},
            "nothing for the schedule of lr to move; take optimizers with a learning rate",
        ),
    ],
)
def test_a_schedule_without_a_setting_is_refused(
    schedules: dict[str, float],
    settings: dict[str, Any],
    message: str,
    make_model: Callable[..., SlimGAN],
    make_trainer: Callable[..., Trainer],
) -> None:
    model = make_model(schedules=Schedules(**{name: Schedule(end) for name, end in schedules.items()}), **settings)
    with pytest.raises(SlimGANError, match=message):
        make_trainer(max_steps=1).fit(model, OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))


def test_a_schedule_that_ends_with_training_needs_an_end(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    model = make_model(schedules=Schedules(lr=Schedule(factor=0.1)))
    with pytest.raises(
        SlimGANError, match=r"which has no end; set --trainer\.max_steps or --model.schedules.lr.images"
    ):
        make_trainer(max_steps=-1, max_epochs=-1).fit(model, OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))


@pytest.mark.parametrize(
    ("name", "schedule", "message"),
    [
        ("beta2", Schedule(end=1.5), "the end of the schedule of beta2 is 1.5"),
        ("beta1", Schedule(end=1.0), "the end of the schedule of beta1 is 1.0"),
        ("p", Schedule(factor=3.0), "the end of the schedule of p is 1.5; it has to be at least 0 and at most 1.0"),
        ("gamma", Schedule(factor=0.1), "a share of the setting's own value, which is 0; give --model.schedules.gamma"),
    ],
)
def test_an_end_that_the_setting_cannot_have_is_refused_before_training(
    name: str, schedule: Schedule, message: str, make_model: Callable[..., SlimGAN]
) -> None:
    model = make_model(augmentation=Augmentation(["flip"], 0.5), schedules=Schedules(**{name: schedule}))
    with pytest.raises(SlimGANError, match=message):
        model.check_schedules(10)
