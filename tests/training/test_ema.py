"""The averaged generator serves every width, with statistics of its own weights."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, run
from lightning.pytorch import Callback, Trainer
from one_batch import OneBatch
from seasoned import NETS, seasoned
from torch import nn

from slimgan_pl import SlimGAN, load_model
from slimgan_pl.layers import slice_gains
from slimgan_pl.models import Classes, ResNetDiscriminatorBank, ResNetGenerator, recalibrate
from slimgan_pl.runs.checkpoint_reader import load_generator, read_checkpoint
from slimgan_pl.training.ema import EMA, update_average
from slimgan_pl.training.sampled import AVERAGE_BATCHES
from slimgan_pl.utils.torch_state import evaluating

DECAYS = (0.0, 0.9, 0.37, 0.999)


@pytest.mark.parametrize("name", sorted(NETS))
def test_a_slice_of_the_average_equals_the_average_of_the_slices(name: str) -> None:
    net = seasoned(name)
    average = copy.deepcopy(net)
    slices = {width: average.slice(width) for width in net.widths}
    for decay in DECAYS:
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(torch.randn_like(parameter))
        for width, averaged in slices.items():
            update_average(averaged, net.slice(width), decay)
        update_average(average, net, decay)
    for width, averaged in slices.items():
        gains = slice_gains(average, averaged)
        for key, value in average.slice(width).named_parameters():
            rounding = 1e-5 if key in gains else 0
            torch.testing.assert_close(value, averaged.get_parameter(key), rtol=rounding, atol=rounding)


def test_a_weight_counts_half_after_the_half_life() -> None:
    net, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.ones_(average.weight)
    nn.init.zeros_(net.weight)
    for _ in range(10):  # batches of 20 images
        update_average(average, net, EMA(200.0).decay(20, 0, 200.0))
    assert average.weight.item() == pytest.approx(0.5)


def test_the_ramp_up_holds_until_the_half_life() -> None:
    settings = EMA(half_life=1000.0, ramp_up=0.05)
    assert settings.decay(50, 0, 1000.0) == 0  # the weights themselves
    assert settings.decay(50, 1000, 1000.0) == pytest.approx(0.5)  # 50 of 1,000 images
    assert settings.decay(500, 100_000, 1000.0) == pytest.approx(0.5**0.5)
    assert EMA(ramp_up=0.05).decay(50, 100_000, None) == pytest.approx(0.5**0.01)


def test_statistics_of_averaged_weights_are_measured_anew(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    model = make_model(ema=EMA(100.0))
    trainer = make_trainer(max_steps=3)
    trainer.fit(model, OneBatch(torch.zeros(6, 1, 8, 8)))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    loaded = load_model(tmp_path / "last.ckpt")
    expected = copy.deepcopy(loaded.averaged_generator)
    assert expected is not None
    recalibrate(expected, AVERAGE_BATCHES)
    raw = loaded.generator.state_dict()
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(loaded.inference_generator.state_dict()[name], value)
        assert name.endswith("num_batches_tracked") or not torch.equal(value, raw[name]), name


def test_the_average_fits_its_weights_at_any_time_that_it_is_used(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    latents = torch.randn(4, 8)
    images = []

    class Look(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
            expected = copy.deepcopy(pl_module.averaged_generator)
            recalibrate(expected, AVERAGE_BATCHES)
            with evaluating(pl_module), torch.no_grad():
                images.append((pl_module(latents), expected.eval()(latents)))

    make_trainer(max_steps=2, callbacks=[Look()]).fit(make_model(ema=EMA(100.0)), OneBatch(torch.zeros(6, 1, 8, 8)))
    model = make_model(ema=EMA(100.0))
    make_trainer(max_steps=2).fit(model, OneBatch(torch.zeros(6, 1, 8, 8)))
    for found, expected in images:
        torch.testing.assert_close(found, expected)
    after = copy.deepcopy(model.averaged_generator)
    assert after is not None
    recalibrate(after, AVERAGE_BATCHES)
    for name, value in after.state_dict().items():
        torch.testing.assert_close(model.averaged_generator.state_dict()[name], value)  # type: ignore[union-attr]


def test_buffers_that_are_no_statistics_are_copied() -> None:
    net = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(32, 32)), nn.BatchNorm1d(32))
    average = copy.deepcopy(net)
    net(torch.randn(4, 32))  # a power iteration, and statistics
    kept = average.get_buffer("1.running_mean").clone()
    update_average(average, net, 0.9)
    for name, value in net.named_buffers():
        assert torch.equal(average.get_buffer(name), value) == name.startswith("0."), name
    assert torch.equal(average.get_buffer("1.running_mean"), kept)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkpoint of a tiny run with averaged weights, and its evaluation."""
    folder = tmp_path_factory.mktemp("averaged")
    (folder / "tiny.yaml").write_text(TINY)
    torch.set_num_threads(1)
    options = ("--model.ema.ramp_up", 0.5, "--trainer.default_root_dir", folder / "runs")
    run("fit", "--config", folder / "tiny.yaml", *options)
    return folder / "runs" / "version_0" / "checkpoints" / "last.ckpt"


def test_samples_and_evaluation_are_of_averaged_weights_unless_raw_ones_are_asked_for(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latents = torch.randn(3, 8)
    weights = read_checkpoint(checkpoint)["state_dict"]
    images: dict[Any, torch.Tensor] = {}
    for name, net in (("averaged", "averaged_generator"), ("raw", "generator")):
        model = load_model(checkpoint, weights=name)  # type: ignore[arg-type]
        alone = load_generator(checkpoint, weights=name)  # type: ignore[arg-type]
        images[name] = model(latents)
        assert torch.equal(images[name], alone(latents))
        for key, value in alone.state_dict().items():
            assert torch.equal(value, weights[f"{net}.{key}"])
        run("sample", "--ckpt_path", checkpoint, "--output", tmp_path / f"{name}.png", "--weights", name)
        capsys.readouterr()
        run("test", "--ckpt_path", checkpoint, "--weights", name)
        assert ("averaged weights" in capsys.readouterr().out) == (name == "averaged")
    assert not torch.allclose(images["averaged"], images["raw"])
    assert (tmp_path / "averaged.png").read_bytes() != (tmp_path / "raw.png").read_bytes()


def test_averaging_and_augmentation_begin_and_end_when_a_run_resumes(
    checkpoint: Path, make_model: Callable[..., SlimGAN]
) -> None:
    plain, averaged = make_model(), make_model(ema=EMA(100.0))
    begun = averaged.adapt_state(plain.state_dict())
    averaged.load_state_dict(begun)
    for name, value in plain.generator.state_dict().items():
        assert torch.equal(averaged.inference_generator.state_dict()[name], value)
    plain.load_state_dict(plain.adapt_state(averaged.state_dict()))


def test_the_averaged_generator_has_the_classes_of_the_data() -> None:
    generator = ResNetGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0), num_classes=3)
    bank = ResNetDiscriminatorBank((4, 8), 1, image_channels=1, num_branches=2, num_classes=3)
    model = SlimGAN(generator, bank, ema=EMA(100.0))
    classes = Classes(("cat", "dog", "owl"), (1, 2, 3))
    model.on_load_checkpoint({"global_step": 0, "state_dict": model.state_dict(), "classes": classes.to_json()})
    assert model.inference_generator is not model.generator
    assert model.inference_generator.classes == model.generator.classes == classes
