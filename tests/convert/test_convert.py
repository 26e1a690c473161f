"""Checkpoints of the authors' code become equal nets."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from authors import (
    NETS,
    WIDTHS,
    Net,
    discriminate,
    discriminator_file,
    generate,
    generator_file,
    mark_used,
    optimizer_state,
    reduced,
)
from sharing import mostly_slow
from standins import write_cifar10
from torch import Tensor

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.cli import main as cli
from slimgan_pl.cli.import_checkpoint import import_checkpoint
from slimgan_pl.convert import Sharing, find_sharing, read_weights
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint

LAYOUT = Path(__file__).parents[3] / "shared" / "official_layout.json"


def save(path: Path, tensors: dict[str, Tensor], **more: Any) -> str:
    torch.save({"model_state_dict": tensors, "optimizer_state_dict": {}, "global_step": 123, **more}, path)
    return str(path)


def imported(
    folder: Path, generator: dict[str, Tensor], bank: dict[str, Tensor] | None, num_shared: int | None = None
) -> SlimGAN:
    """Import files with these tensors, and return the model of the checkpoint."""
    path = save(folder / "G.pth", generator)
    discriminator = None if bank is None else save(folder / "D.pth", bank)
    import_checkpoint(path, str(folder / "X.ckpt"), discriminator, num_shared)
    return load_model(folder / "X.ckpt")


def inputs(net: Net) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return latents, images and labels."""
    labels = torch.tensor([3, 0, 9]) if net.num_classes else None
    return torch.randn(3, 128), torch.rand(3, 3, net.image_size, net.image_size) * 2 - 1, labels


@torch.no_grad()
def assert_equal(model: SlimGAN, generator: dict[str, Tensor], bank: dict[str, Tensor], net: Net, shared: int) -> None:
    latents, images, labels = inputs(net)
    assert model.generator.widths == WIDTHS
    for number, width in enumerate(WIDTHS):
        expected = generate(generator, net, latents, labels, width, number)
        assert expected.abs().mean() < 0.9, "tanh hides differences"
        torch.testing.assert_close(model(latents, labels, width=width), expected, atol=1e-5, rtol=0)
        logits = discriminate(bank, net, images, labels, number, shared)
        torch.testing.assert_close(model.discriminators(images, labels, branch=number), logits, rtol=1e-4, atol=1e-6)


@mostly_slow("num_shared", [2, 0])
@pytest.mark.parametrize("name", NETS)
def test_imported_nets_equal_a_plain_computation(name: str, num_shared: int, tmp_path: Path) -> None:
    net = reduced(NETS[name])
    generator, bank = generator_file(net), discriminator_file(net)
    mark_used(bank, net, num_shared)
    model = imported(tmp_path, generator, bank, num_shared)
    assert model.discriminators.num_shared == num_shared
    assert_equal(model, generator, bank, net, num_shared)


@pytest.mark.skipif(not LAYOUT.is_file(), reason="the published layout is not here")
@pytest.mark.parametrize("name", NETS)
def test_the_layout_is_the_published_one(name: str) -> None:
    published = json.loads(LAYOUT.read_text())["nets"][name]
    for side, tensors in (("G", generator_file(NETS[name])), ("D", discriminator_file(NETS[name]))):
        assert {key: list(value.shape) for key, value in tensors.items()} == published[side]


@mostly_slow("name", ["resnet32", "dcgan32", "cgan32"])
@pytest.mark.parametrize(("num_shared", "share_head"), [(0, False), (1, False), (3, False), (4, False), (0, True)])
def test_what_is_shared_shows_in_the_optimizer_and_in_the_singular_vectors(
    name: str, num_shared: int, share_head: bool
) -> None:
    net = NETS[name] if name == "dcgan32" else reduced(NETS[name])  # chance looks used in few dimensions
    bank = discriminator_file(net)

    def trained(key: str) -> bool:
        group, copy = key.split(".")[:2]
        shared = share_head if group.startswith("l") else int(group.strip("blocks")) <= num_shared
        return not shared or copy == "3"

    assert find_sharing(bank, {}) is None
    for zeros in (False, True):
        assert find_sharing(bank, optimizer_state(bank, trained, zeros)) == Sharing(num_shared, share_head)
    mark_used(bank, net, num_shared, share_head)
    assert find_sharing(bank, {}) == Sharing(num_shared, share_head)


def test_a_shared_last_layer_is_taken_over(tmp_path: Path) -> None:
    net = reduced(NETS["cgan32"])
    generator, bank = generator_file(net), discriminator_file(net)
    mark_used(bank, net, 0, share_head=True)
    model = imported(tmp_path, generator, bank)
    _, images, labels = inputs(net)
    for key in list(bank):
        if key.startswith("l"):
            bank[re.sub(r"\.\d\.", ".1.", key)] = bank[re.sub(r"\.\d\.", ".3.", key)]
    expected = discriminate(bank, net, images, labels, copy=1, num_shared=0)
    torch.testing.assert_close(model.discriminators(images, labels, branch=1), expected, rtol=1e-4, atol=1e-6)


def test_untrained_discriminators_get_the_papers_sharing_and_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = reduced(NETS["resnet32"])
    generator, bank = generator_file(net), discriminator_file(net)
    model = imported(tmp_path, generator, bank)
    assert model.discriminators.num_shared == 2
    assert "Give --num_shared" in capsys.readouterr().out
    assert_equal(model, generator, bank, net, 2)


def test_num_shared_wins_over_the_file_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = reduced(NETS["resnet32"])
    bank = discriminator_file(net)
    mark_used(bank, net, 2)
    path = save(tmp_path / "G.pth", generator_file(net))
    import_checkpoint(path, str(tmp_path / "X.ckpt"), save(tmp_path / "D.pth", bank), num_shared=1)
    assert "shows that they share 2 stages; taken is --num_shared 1" in capsys.readouterr().out
    assert load_model(tmp_path / "X.ckpt").discriminators.num_shared == 1


@pytest.mark.parametrize("name", NETS)
def test_a_generator_alone_gets_fresh_discriminators_as_the_paper_pairs_them(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = NETS[name]._replace(channels=reduced(NETS[name]).channels)
    model = imported(tmp_path, generator_file(net), None)
    paired = [4 * channels if not net.residual else channels for channels in reduced(net).bank_channels]
    if not net.residual:
        paired = list(net.channels[::-1])
    assert list(model.discriminators.arguments["channels"]) == paired
    assert model.discriminators.arguments.get("num_downsamples", 0) == net.num_downsamples
    assert "they start fresh" in capsys.readouterr().out
    latents, images, labels = inputs(net)
    assert model.discriminators(images, labels, branch=3).shape == (3, 1)
    assert model(latents, labels).shape == images.shape


@pytest.mark.parametrize("name", NETS)
def test_a_plain_generator_is_an_individual_gan(name: str, tmp_path: Path) -> None:
    net = reduced(NETS[name])
    generator = generator_file(net, widths=None)
    model = imported(tmp_path, generator, None)
    latents, _, labels = inputs(net)
    assert model.generator.widths == (1.0,)
    assert model.discriminators.num_branches == 1
    expected = generate(generator, net, latents, labels, 1.0, 0)
    torch.testing.assert_close(model(latents, labels), expected, atol=1e-5, rtol=0)


def test_a_switchable_conditional_norm_per_width_is_taken_over(tmp_path: Path) -> None:
    net = reduced(NETS["cgan32"])
    generator = generator_file(net, switchable=True)
    model = imported(tmp_path, generator, None)
    latents, _, labels = inputs(net)
    for number, width in enumerate(WIDTHS):
        expected = generate(generator, net, latents, labels, width, number)
        torch.testing.assert_close(model(latents, labels, width=width), expected, atol=1e-5, rtol=0)


def test_names_that_data_parallel_made_are_understood(tmp_path: Path) -> None:
    net = reduced(NETS["dcgan32"])
    generator = generator_file(net)
    model = imported(tmp_path, {f"module.{name}": value for name, value in generator.items()}, None)
    latents = torch.randn(2, 128)
    torch.testing.assert_close(model(latents), generate(generator, net, latents, None, 1.0, 3), atol=1e-5, rtol=0)


def test_any_number_of_widths_is_read_from_the_batch_norms(tmp_path: Path) -> None:
    net = reduced(NETS["resnet32"])
    model = imported(tmp_path, generator_file(net, widths=(0.5, 0.875, 1.0)), None)
    assert model.generator.widths == (0.5, 0.875, 1.0)


def test_an_imported_checkpoint_is_taken_by_test_and_sample_and_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = reduced(NETS["dcgan32"])
    generator, bank = (
        save(tmp_path / "G.pth", generator_file(net)),
        save(tmp_path / "D.pth", discriminator_file(net)),
    )
    path = str(tmp_path / "X.ckpt")
    cli.main(["import", "--generator", generator, "--discriminator", bank, "--output", path])
    write_cifar10(tmp_path / "data", count=4)
    data = ["--data", "CIFAR10DataModule", "--data.root", str(tmp_path / "data"), "--data.verify", "false"]
    data += ["--trainer.accelerator", "cpu", "--trainer.default_root_dir", str(tmp_path / "runs")]
    cli.main(["sample", "--ckpt_path", path, "--width", "all", "--output", str(tmp_path / "all.png")])
    assert (tmp_path / "all.png").is_file()
    extractor = ["--model.evaluator.extractor", "digits", "--model.evaluator.splits", "2"]
    cli.main(["test", "--ckpt_path", path, *data, *extractor])
    assert json.loads((tmp_path / "X.test.json").read_text())["iteration"] == 123
    steps = ["--data.batch_size", "4", "--trainer.max_steps", "136", "--model.evaluator", "null"]
    capsys.readouterr()
    cli.main(["fit", "--ckpt_path", path, *data, *steps])  # thirteen iterations in epochs of five
    assert "the optimizers start fresh" in capsys.readouterr().out
    went_on = read_checkpoint(tmp_path / "runs" / "version_0" / "checkpoints" / "last.ckpt")
    assert went_on["global_step"] == 136
    assert {state["step"].item() for state in went_on["optimizer_states"][0]["state"].values()} == {13}


def test_a_checkpoint_without_data_asks_for_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "X.ckpt")
    import_checkpoint(save(tmp_path / "G.pth", generator_file(reduced(NETS["dcgan32"]))), path)
    with pytest.raises(SystemExit):
        cli.main(["test", "--ckpt_path", path])
    assert "does not say which data it belongs to" in capsys.readouterr().err


class Payload:
    """Would write a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_file_that_runs_code_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"model_state_dict": {}, "payload": Payload(tmp_path / "ran")}, tmp_path / "G.pth")
    with pytest.raises(SlimGANError, match="cannot be read, it is damaged or holds more than tensors"):
        read_weights(tmp_path / "G.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"model_state_dict": {}}, "holds no weights; expected is a file of the SlimGAN authors' code"),
        ({"weight": 3}, "holds no weights"),
        ([torch.zeros(2)], "holds no weights"),
        ({"conv.weight": torch.zeros(2, 2)}, "holds no known generator"),
        (discriminator_file(reduced(NETS["resnet32"])), "holds no known generator"),
        ({**generator_file(reduced(NETS["dcgan32"])), "c9.bias": torch.zeros(1)}, "holds no known generator"),
        (
            {"l1.weight": torch.zeros(5, 3), "c1.weight": torch.zeros(2, 2), "c2.weight": torch.zeros(())},
            "no known generator",
        ),
    ],
)
def test_a_file_of_something_else_says_what_was_expected(content: Any, words: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "G.pth")
    with pytest.raises(SlimGANError, match=words):
        import_checkpoint(str(tmp_path / "G.pth"), str(tmp_path / "X.ckpt"))
    assert not (tmp_path / "X.ckpt").exists()


def test_mistakes_with_files_are_named(tmp_path: Path) -> None:
    net = reduced(NETS["dcgan32"])
    generator = save(tmp_path / "G.pth", generator_file(net))
    with pytest.raises(SlimGANError, match="there is no file nowhere"):
        import_checkpoint("nowhere", str(tmp_path / "X.ckpt"))
    with pytest.raises(SlimGANError, match="holds no known discriminators"):
        import_checkpoint(generator, str(tmp_path / "X.ckpt"), generator)
    with pytest.raises(SlimGANError, match="4 widths but the bank has 2"):
        import_checkpoint(generator, str(tmp_path / "X.ckpt"), save(tmp_path / "D.pth", discriminator_file(net, 2)))
    with pytest.raises(SlimGANError, match="give that with --discriminator"):
        import_checkpoint(generator, str(tmp_path / "X.ckpt"), num_shared=1)
    with pytest.raises(SlimGANError, match="num_shared is 9"):
        import_checkpoint(generator, str(tmp_path / "X.ckpt"), save(tmp_path / "D.pth", discriminator_file(net)), 9)
    (tmp_path / "X.ckpt").write_text("trained for days")
    with pytest.raises(SlimGANError, match="already exists"):
        import_checkpoint(generator, str(tmp_path / "X.ckpt"))
    assert (tmp_path / "X.ckpt").read_text() == "trained for days"
