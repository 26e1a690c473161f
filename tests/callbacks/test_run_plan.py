"""Before training a run says what it trains on, which nets, and how long."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Trainer

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import IterationCheckpoint, RunPlan, SampleGrid
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator

Fit = Callable[..., dict[str, str]]


def make(**settings: Any) -> SlimGAN:
    generator = DCGANGenerator((8, 8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0))
    bank = DCGANDiscriminatorBank((4, 4, 4), image_channels=1, num_branches=2, num_shared=1)
    return SlimGAN(generator, bank, **settings)


@pytest.fixture
def fit(make_trainer: Callable[..., Trainer], capsys: pytest.CaptureFixture[str]) -> Fit:
    """Return a function that trains for two iterations and returns each line of the plan, unwrapped, by its name."""

    def train(model: SlimGAN, *callbacks: Any, **settings: Any) -> dict[str, str]:
        capsys.readouterr()
        ckpt_path = settings.pop("ckpt_path", None)
        trainer = make_trainer(
            **{"max_steps": 2, "enable_checkpointing": True, **settings}, callbacks=[RunPlan(), *callbacks]
        )
        trainer.fit(model, DigitsDataModule(batch_size=8), ckpt_path=ckpt_path)
        lines = capsys.readouterr().out
        assert max(map(len, lines.splitlines())) <= 80
        parts = (line.partition(": ") for line in lines.replace("\n      ", " ").splitlines())
        return {name: text for name, _, text in parts if name in ("Data", "Nets", "Plan")}

    return train


def test_each_line_has_the_numbers_of_the_run(fit: Fit) -> None:
    model = make(critic_steps=3, evaluator=Evaluator("digits", num_fake=60, num_score=70, splits=2, seeds=2))
    nets: list[Any] = [*(model.generator.individual(width) for width in (0.5, 1.0)), model.discriminators]
    (narrow, wide, bank) = (f"{sum(each.numel() for each in net.parameters()) / 1000:.3g} k" for net in nets)
    # The stem makes 4x4 of 8 numbers, two transposed 4x4 convolutions start from 4x4 and 8x8, a 3x3 one makes 16x16.
    macs = [f"{(8 * 16 * c + 16 * (16 + 64) * c * c + 9 * 256 * c) / 1000:.3g} k" for c in (4, 8)]
    lines = fit(model, IterationCheckpoint(3), SampleGrid(5), max_steps=4)
    assert lines["Data"].startswith("1,347 training and 450 test images, 10 classes")
    assert lines["Nets"] == (
        f"DCGANGenerator: {narrow} parameters and {macs[0]} MACs at width 0.5, {wide} and {macs[1]} at 1; "
        f"2 discriminators: {bank} parameters, 1 of 5 stages shared"
    )
    assert lines["Plan"].startswith(
        f"4 iterations of 3 x 8 images, in all 96 images, {4 / (1347 // 24):.1f} epochs; evaluation at the end: "
        "60 fakes per width (70 for IS) against 450 test images, over 2 seeds; checkpoint every 3 iterations and "
        "pictures at the end in "
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"val_check_interval": 2, "check_val_every_n_epoch": None}, "every 2 iterations and at the end"),
        ({"val_check_interval": 3, "check_val_every_n_epoch": None}, "at the end"),  # training ends before the first
        ({"val_check_interval": "00:01:00:00"}, "at intervals of time and at the end"),
        ({"max_steps": -1, "max_epochs": 1, "limit_train_batches": 2}, "every 2 iterations and at the end"),
    ],
)
def test_the_plan_says_when_an_evaluation_comes(settings: dict[str, Any], expected: str, fit: Fit) -> None:
    model = make(evaluator=Evaluator("digits", num_fake=60, splits=2, metrics=["fid"]))
    plan = fit(model, limit_val_batches=1, num_sanity_val_steps=0, **settings)["Plan"]
    assert f"; evaluation {expected}: 60 fakes" in plan
    assert plan.startswith("2 iterations of 8 images")


def test_a_resumed_run_says_what_is_left(fit: Fit, tmp_path: Path) -> None:
    fit(make(), IterationCheckpoint())
    path = next(tmp_path.rglob("last.ckpt"))
    plan = fit(make(), IterationCheckpoint(), max_steps=4, ckpt_path=path)["Plan"]
    assert plan.startswith("iterations 3 to 4 of 8 images, in all 16 images, 0.0 epochs; no evaluation; checkpoint")


def test_a_plain_gan_is_named_by_its_width(fit: Fit) -> None:
    text = fit(make(individual=0.5))["Nets"]
    assert "MACs at width 0.5; 1 discriminator: " in text
    assert "shared" not in text
