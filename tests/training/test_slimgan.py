"""The training step is the paper's iteration; sampling and checkpoints leave nothing behind."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from naive import (
    descend,
    discriminator_gradients,
    generator_gradients,
    plain_descent,
    sample_numbers,
    sample_updates,
)
from one_batch import OneBatch
from sharing import mostly_slow
from torch import Tensor
from torch.nn.utils import parametrize

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.callbacks import IterationCheckpoint
from slimgan_pl.data import ByteArray, DigitsDataModule
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    R3DiscriminatorBank,
    R3Generator,
    ResNetDiscriminatorBank,
    ResNetGenerator,
    SlimmableGenerator,
    StyleGAN2DiscriminatorBank,
    StyleGAN2Generator,
)
from slimgan_pl.runs.checkpoint_reader import load_generator
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint
from slimgan_pl.training.augmentation import Augmentation, TransformName
from slimgan_pl.training.penalties import Penalty
from slimgan_pl.training.updates import Updates

BATCH_SIZE = 6


class FewDigits(DigitsDataModule):
    """Trains on 56 digits."""

    def setup(self, stage: str) -> None:
        super().setup(stage)
        images, labels, *_ = self.arrays["train"]
        self.arrays["train"] = ByteArray(images[:56], None if labels is None else labels[:56])


def conditional_resnet(**settings: Any) -> SlimGAN:
    generator = ResNetGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.25, 0.5, 1.0), num_classes=3)
    bank = ResNetDiscriminatorBank((4, 8), 1, image_channels=1, num_branches=3, num_shared=1, num_classes=3)
    return SlimGAN(generator, bank, **settings)


GROUP = 2  # images that StyleGAN2's discriminators compare here


def modern_nets(family: str, conditional: bool, **settings: Any) -> SlimGAN:
    """Return a small model of nets without norms."""
    generator: SlimmableGenerator
    bank: DiscriminatorBank
    classes, widths = (3 if conditional else 0), (0.25, 0.5, 1.0)
    shape: dict[str, Any] = {"image_channels": 1, "num_classes": classes}
    if family == "r3":
        generator = R3Generator((8, 8), 1, 4, latent_dim=8, widths=widths, **shape)
        bank = R3DiscriminatorBank((4, 8), 1, 4, num_branches=3, num_shared=1, **shape)
    else:
        generator = StyleGAN2Generator((8, 8), 8, 2, style_mixing=0.7, widths=widths, **shape)
        bank = StyleGAN2DiscriminatorBank((4, 8), GROUP, 1, num_branches=3, num_shared=1, **shape)
    for name, weight in [*generator.named_parameters(), *bank.named_parameters()]:
        if "conv3" in name or "noise_strength" in name:  # begin at zero
            torch.nn.init.normal_(weight, std=0.3)
    return SlimGAN(generator, bank, **settings)


def name_of(value: object) -> str:
    """Return a setting's value for the name of a test."""
    return "".join(filter(str.isalnum, str(value)))


ALL_TRANSFORMS: tuple[TransformName, ...] = ("flip", "translation", "color", "cutout")

MODERN: list[dict[str, Any]] = [  # relativistic loss, penalties, augmentation
    {"adversarial_loss": "relativistic", "centering": 0.3},
    {"adversarial_loss": "relativistic", "latents": "shared", "critic_steps": 2},
    {"adversarial_loss": "relativistic", "free_graphs": True, "micro_batches": 2},
    {"penalty": Penalty(0.5, method="exact", share=1.0)},
    {"penalty": Penalty(0.5, "real", "exact", every=3), "free_graphs": True},
    {"penalty": Penalty(0.5, "fake", "exact", share=0.6), "micro_batches": 3, "latents": "shared"},
    {"penalty": Penalty(0.5, share=0.5)},
    {"penalty": Penalty(0.5, "real", every=3), "latents": "shared", "critic_steps": 2},
    {"penalty": Penalty(0.5, "fake"), "free_graphs": True, "micro_batches": 2},
    {"augmentation": Augmentation(ALL_TRANSFORMS, 0.7)},
    {
        "adversarial_loss": "relativistic",
        "latents": "shared",
        "penalty": Penalty(0.5, share=0.5),
        "augmentation": Augmentation(ALL_TRANSFORMS, 0.7),
    },
    {
        "adversarial_loss": "relativistic",
        "micro_batches": 2,
        "penalty": Penalty(0.5, method="exact", share=0.4),
        "augmentation": Augmentation(ALL_TRANSFORMS, 0.7),
    },
]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"adversarial_loss": "wasserstein", "distill_target": "widest"},
        {"adversarial_loss": "non-saturating", "critic_steps": 2},
        {"adversarial_loss": "minimax", "distill_target": "none"},
        {"latents": "shared"},
        {"latents": "shared", "critic_steps": 2, "distill_target": "none"},
        {"channels_last": False},
        {"free_graphs": True},
        {"free_graphs": True, "latents": "shared"},
        {"micro_batches": 2},
        {"micro_batches": 3, "free_graphs": True, "latents": "shared"},
        *MODERN,
    ],
    ids=lambda settings: "-".join(f"{key}={name_of(value)}" for key, value in settings.items()) or "default",
)
@pytest.mark.parametrize("conditional", [False, True])
def test_an_iteration_equals_a_naive_loop_over_widths(
    settings: dict[str, Any],
    conditional: bool,
    make_model: Callable[..., SlimGAN],
    make_trainer: Callable[..., Trainer],
) -> None:
    build = conditional_resnet if conditional else make_model
    check_iteration(build(**settings, **PLAIN), settings, make_trainer)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("family", ["r3", "stylegan2"])
@pytest.mark.parametrize(
    "settings",
    [
        {"critic_steps": 2},
        {
            "adversarial_loss": "relativistic",
            "latents": "shared",
            "penalty": Penalty(0.5, share=0.6),
            "critic_steps": 2,
        },
        {"latents": "shared", "free_graphs": True, "penalty": Penalty(0.5, method="exact", share=0.3)},
        {"micro_batches": 3, "penalty": Penalty(0.5, "real", share=1.0)},
        {"recomputed_stages": 1, "penalty": Penalty(0.5, "real", "exact", share=1.0)},
        {"recomputed_stages": 9, "latents": "shared", "penalty": Penalty(0.5)},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_an_iteration_of_nets_without_norms_equals_it_too(
    settings: dict[str, Any], family: str, conditional: bool, make_trainer: Callable[..., Trainer]
) -> None:
    check_iteration(modern_nets(family, conditional, **settings, **PLAIN), settings, make_trainer)


@pytest.mark.parametrize("free_graphs", [False, True])
def test_stages_with_a_spectral_norm_can_be_recomputed(free_graphs: bool, make_trainer: Callable[..., Trainer]) -> None:
    states = []
    for stages in (0, 2):
        torch.manual_seed(0)
        generator = R3Generator((8, 8), 1, 4, latent_dim=8, image_channels=1, widths=(0.5, 1.0))
        bank = DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=2, num_shared=1)
        model = SlimGAN(generator, bank, recomputed_stages=stages, free_graphs=free_graphs, **PLAIN).double()
        images = torch.linspace(-1, 1, BATCH_SIZE * 64, dtype=torch.float64).view(BATCH_SIZE, 1, 8, 8)
        make_trainer(max_steps=2, precision="64-true").fit(model, OneBatch(images))
        states.append(model.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value)


PLAIN: dict[str, Any] = {"generator_optimizer": plain_descent, "discriminator_optimizer": plain_descent}


def check_iteration(model: SlimGAN, settings: dict[str, Any], make_trainer: Callable[..., Trainer]) -> None:
    """Hold an iteration in float64 to the naive loop."""
    model = model.double()
    naive = copy.deepcopy(model)
    naive.generator.recomputed_stages = 0
    naive.discriminators.recompute_stages(0)
    conditional = model.generator.num_classes > 0
    loss = settings.get("adversarial_loss", "hinge")
    steps = model.critic_steps
    images = torch.rand(model.real_batches * BATCH_SIZE, 1, 8, 8, dtype=torch.float64) * 2 - 1
    labels = torch.randint(3, (len(images),)) if conditional else None

    if model.step_settings.micro_batches > 1:  # with batch norm in evaluation mode they change nothing
        model.generator.eval()
        naive.generator.eval()

    make_trainer(max_steps=1, precision="64-true").fit(model, OneBatch(images, labels))

    source, parts = torch.Generator(), images.split(BATCH_SIZE)
    part_labels = [None] * len(parts) if labels is None else list(labels.split(BATCH_SIZE))
    *critic, last = sample_updates(naive, 0, 0, [3] * steps + [4], BATCH_SIZE, source, part_labels)
    numbers = sample_numbers(naive, source, parts[0].shape, steps)
    for step, latents in enumerate(critic):
        gradients = discriminator_gradients(naive, loss, parts[step], part_labels[step], latents, numbers[step])
        descend(list(naive.discriminators.parameters()), gradients)
    statistics = {name: value.clone() for name, value in naive.named_buffers() if "generator" in name}
    compared = (parts[-1], part_labels[-1]) if loss == "relativistic" else ()
    descend(list(naive.generator.parameters()), generator_gradients(naive, loss, last, numbers[-1], *compared))
    expected = naive.state_dict()
    if settings.get("latents") == "shared" and not settings.get("free_graphs"):
        expected |= statistics  # the fakes of the discriminator update are used again, so they count once
    for name, value in model.state_dict().items():
        if name != "last_penalty":  # a metric
            assert torch.allclose(value, expected[name], rtol=1e-9, atol=1e-12), name


def test_the_trunk_sees_each_image_once(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    model = make_model()
    batches: list[int] = []
    model.discriminators.trunk.register_forward_hook(lambda _, inputs, __: batches.append(len(inputs[0])))
    make_trainer(max_steps=1).fit(model, OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))
    assert sum(batches) == BATCH_SIZE * (1 + 3 + 3)  # real, fakes, and in the generator update each width's own


def test_spectral_norm_runs_one_power_iteration_per_update(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    model = make_model(critic_steps=2)
    bank: Any = model.discriminators
    norm = bank.trunk[0].conv.parametrizations.weight[0]
    calls: list[int] = []
    original = norm._power_method

    def counted(*args: Any) -> Any:
        calls.append(1)
        return original(*args)

    norm._power_method = counted
    make_trainer(max_steps=1).fit(model, OneBatch(torch.zeros(2 * BATCH_SIZE, 1, 8, 8)))
    assert len(calls) == 3  # two discriminator updates and one generator update


def test_a_generator_update_leaves_the_bank_alone(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()
    update = Updates.train_generator
    seen: list[list[Tensor]] = []

    def look() -> None:
        parameters = list(model.discriminators.parameters())
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        seen.append([tensor.detach().clone() for tensor in (*parameters, *gradients)])

    def watched(*args: Any, **kwargs: Any) -> Any:
        look()
        metrics = update(*args, **kwargs)
        look()
        return metrics

    monkeypatch.setattr(Updates, "train_generator", watched)
    make_trainer(max_steps=2).fit(model, OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))
    first, same, second, _ = seen
    assert len(first) == 2 * len(list(model.discriminators.parameters()))
    assert all(torch.equal(*pair) for pair in zip(first, same, strict=True))
    assert any(not torch.equal(*pair) for pair in zip(same, second, strict=True))
    assert all(parameter.requires_grad for parameter in model.discriminators.parameters())


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_step_limits_count_iterations(
    critic_steps: int, make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    model = make_model(critic_steps=critic_steps)
    trainer = make_trainer(max_steps=4)
    calls: list[int] = []
    model.generator.register_forward_hook(lambda *_: calls.append(1))
    trainer.fit(model, OneBatch(torch.zeros(critic_steps * BATCH_SIZE, 1, 8, 8)))
    assert trainer.global_step == 4
    assert len(calls) == 4 * 3 * (critic_steps + 2)


def test_bf16_mixed_gives_the_gradients_of_full_precision(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    optimizers = {"generator_optimizer": plain_descent, "discriminator_optimizer": plain_descent}
    full = make_model(**optimizers)
    mixed, start = copy.deepcopy(full), copy.deepcopy(full.state_dict())
    images = torch.rand(32, 1, 8, 8) * 2 - 1
    make_trainer(max_steps=1).fit(full, OneBatch(images))
    make_trainer(max_steps=1, precision="bf16-mixed").fit(mixed, OneBatch(images))
    for net in ("generator", "discriminators"):
        step, mixed_step = (
            torch.cat([p.flatten() - start[f"{net}.{n}"].flatten() for n, p in getattr(m, net).named_parameters()])
            for m in (full, mixed)
        )
        assert torch.cosine_similarity(step, mixed_step, dim=0) > 0.99


def test_bf16_mixed_computes_each_update_with_the_weights_of_the_one_before(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    """Autocast as PyTorch has it would keep the casts of the first update's biases; Lightning's keeps none."""
    model = make_model(critic_steps=3, discriminator_optimizer=plain_descent)
    bank: Any = model.discriminators
    used: list[tuple[Tensor, Tensor]] = []

    def look(layer: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        if not inputs[0].any():  # of a black image there is nothing but the bias
            used.append((output[0, :, 0, 0].float(), layer.bias.detach().clone()))

    bank.trunk[0].conv.register_forward_hook(look)
    make_trainer(max_steps=1, precision="bf16-mixed").fit(model, OneBatch(torch.zeros(3 * BATCH_SIZE, 1, 8, 8)))
    assert len(used) == 3
    for output, bias in used:
        torch.testing.assert_close(output, bias, rtol=1e-2, atol=1e-6)
    assert not torch.equal(used[0][1], used[2][1])


def test_sampling_leaves_batch_norm_buffers_and_mode_unchanged(make_model: Callable[..., SlimGAN]) -> None:
    model = make_model().train()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.sample(5, width=0.5)
    assert model.generator.training
    assert all(torch.equal(before[name], buffer) for name, buffer in model.named_buffers())


def test_sampling_in_chunks_equals_one_forward(make_model: Callable[..., SlimGAN]) -> None:
    model = make_model().eval()
    latents = model.generator.draw_inputs(300, torch.Generator().manual_seed(3)).latents
    samples = model.sample(300, 0.5, generator=torch.Generator().manual_seed(3))
    assert samples.shape == (300, 1, 8, 8)
    assert samples.abs().max() <= 1
    torch.testing.assert_close(samples, model(latents, width=0.5))


def test_a_checkpoint_alone_rebuilds_a_model_made_in_python(
    tmp_path: Path, make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    model = make_model(distill_weight=3.0)
    trainer = make_trainer(max_steps=1)
    trainer.fit(model, OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    checkpoint = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert checkpoint["hyper_parameters"]["distill_weight"] == 3.0
    assert all(value.is_contiguous() for value in checkpoint["state_dict"].values())
    latents = torch.randn(2, 8)
    for loaded in (load_model(tmp_path / "a.ckpt"), SlimGAN.load_from_checkpoint(tmp_path / "a.ckpt").eval()):
        torch.testing.assert_close(loaded(latents, width=0.5), model.eval()(latents, width=0.5), rtol=0, atol=0)


def test_a_checkpoint_whose_weights_do_not_fit_its_settings_is_refused(
    tmp_path: Path, make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    trainer = make_trainer(max_steps=1)
    trainer.fit(make_model(), OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    checkpoint = torch.load(tmp_path / "a.ckpt", weights_only=True)
    del checkpoint["state_dict"]["generator.image.bias"]
    torch.save(checkpoint, tmp_path / "b.ckpt")
    with pytest.raises(
        SlimGANError, match=r"b\.ckpt does not fit .* generator\.image\.bias is missing there and \(1,\)"
    ):
        load_model(tmp_path / "b.ckpt")


def test_a_loaded_model_generates_without_gradients_and_trains_once_told_to(
    tmp_path: Path, make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    data = OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8))
    trainer = make_trainer(max_steps=1)
    trainer.fit(make_model(), data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    model: Any = load_model(tmp_path / "a.ckpt")
    latents = torch.randn(2, 8)
    for net in (model, model.generator, model.generator.slice(0.5), load_generator(tmp_path / "a.ckpt")):
        assert net(latents).numpy().shape == (2, 1, 8, 8)
    for is_training, has_gradients in ((False, False), (False, True), (True, False)):
        with pytest.raises(SlimGANError, match=r"set for inference.*; call model.train\(\).requires_grad_\(\)"):
            make_trainer(max_steps=1).fit(model.train(is_training).requires_grad_(has_gradients), data)
    before = model.generator.stem.weight.clone()
    make_trainer(max_steps=1).fit(model.train().requires_grad_(), data)
    assert not torch.equal(model.generator.stem.weight, before)


@mostly_slow("stop", [3, 7, 9], ids=["mid-epoch", "epoch's end", "second epoch"])
@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_a_resumed_run_equals_one_that_never_stopped(
    stop: int, end: str, tmp_path: Path, make_trainer: Callable[..., Trainer]
) -> None:
    def fit(max_steps: int, ckpt_path: Path | None = None) -> SlimGAN:
        torch.manual_seed(0)
        generator = DCGANGenerator((8, 8, 8), latent_dim=8, image_channels=1)
        model = SlimGAN(generator, DCGANDiscriminatorBank((4, 4, 4), image_channels=1))
        data = FewDigits(batch_size=8)
        saving = IterationCheckpoint(keep_every_n_iterations=stop)
        trainer = make_trainer(max_steps=max_steps, callbacks=[saving], enable_checkpointing=True)
        trainer.fit(model, data, ckpt_path=ckpt_path)
        assert len(data.train_dataloader()) == 7
        return model

    whole = fit(10)
    saved = tmp_path / "checkpoints" / f"iteration_{stop:06d}.ckpt"  # of a run that was killed later
    if end == "stopped":
        fit(stop)
        saved = tmp_path / "checkpoints" / "last.ckpt"
    assert read_checkpoint(saved)["global_step"] == stop
    resumed = fit(10, saved).state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.state_dict().items())


def test_a_frozen_bank_still_runs_its_power_iteration(make_model: Callable[..., SlimGAN]) -> None:
    bank: Any = make_model().discriminators.requires_grad_(False)
    norm = bank.trunk[0].conv.parametrizations.weight[0]
    before = norm._u.clone()
    with parametrize.cached():
        bank(torch.zeros(2, 1, 8, 8), branch=0)
    assert not torch.equal(before, norm._u)


@pytest.mark.parametrize(
    ("bank", "words"),
    [
        (DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=2), "num_branches to 3"),
        (DCGANDiscriminatorBank((4, 8), image_channels=3, num_branches=3), "image_channels"),
        (DCGANDiscriminatorBank((4, 8, 8), image_channels=1, num_branches=3), "pixels a side"),
        (ResNetDiscriminatorBank((4, 8), 1, image_channels=1, num_branches=3, num_classes=4), "num_classes"),
    ],
)
def test_nets_that_do_not_fit_together_are_refused(bank: Any, words: str) -> None:
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.25, 0.5, 1.0))
    with pytest.raises(SlimGANError, match=words):
        SlimGAN(generator, bank)


def test_a_callback_can_monitor_the_mean_or_a_width_of_any_metric(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    class Monitoring(Callback):
        """Says what it looks at."""

        monitor = "generator_loss/0.5"

    trainer = make_trainer(max_steps=1, log_every_n_steps=1, callbacks=[Monitoring()])
    model = make_model()
    trainer.fit(model, OneBatch(torch.rand(4, 1, 8, 8)))
    losses = model.reports[-1].metrics["generator_loss"]
    assert float(trainer.callback_metrics["generator_loss"]) == pytest.approx(
        float(torch.stack(list(losses.values())).mean())
    )
    assert float(trainer.callback_metrics["generator_loss/0.5"]) == pytest.approx(float(losses[1]))
    assert "generator_loss/1" not in trainer.callback_metrics


def test_settings_of_another_class_are_refused(make_model: Callable[..., SlimGAN]) -> None:
    with pytest.raises(SlimGANError, match=r"ema is a dict; give an object of slimgan_pl\.EMA"):
        make_model(ema={"ramp_up": 0.05})
