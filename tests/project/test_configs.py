"""Every configuration runs, and the paper's rows are what the paper says."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import yaml
from sharing import mostly_slow
from standins import write_celeba, write_cifar10, write_cifar100, write_stl10

from slimgan_pl import SlimGAN
from slimgan_pl.cli import main as cli
from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.data import ByteDataModule
from slimgan_pl.layers import SwitchableConditionalBatchNorm2d
from slimgan_pl.models import R3Generator, StyleGAN2Generator
from slimgan_pl.runs.checkpoints import read_checkpoint

CONFIGS = Path(__file__).parents[2] / "configs"
FRAGMENTS = {"wandb.yaml"}  # given beside another; tests of what logs hold use it
CONFIGURATIONS = sorted(
    {
        str(path.relative_to(CONFIGS))
        for folder in ("", "paper", "r3", "stylegan2")
        for path in (CONFIGS / folder).glob("*.yaml")
    }
    - FRAGMENTS
)
ALIKE = {"r3/32.yaml", "r3/64.yaml", "r3/128.yaml", "r3/256.yaml", "stylegan2/64.yaml", "stylegan2/128.yaml"}
RUNS = [name for name in CONFIGURATIONS if name not in ALIKE]
WRITERS = {"cifar100": write_cifar100, "cifar10": write_cifar10, "stl10": write_stl10, "celeba": write_celeba}
ITERATIONS = 3
FOLDERS = {"folder.yaml", "folder_conditional.yaml"}
OFTEN = {"folder.yaml", "r3/16.yaml"}  # what make test trains
FAMILIES = {"r3": R3Generator, "stylegan2": StyleGAN2Generator}


class Row(NamedTuple):
    """A row of the paper: the generator's parameters, and the settings of training."""

    parameters: int
    image_size: int
    data: str
    is_residual: bool
    num_classes: int = 0


ROWS = {
    "dcgan_cifar10": Row(3_813_699, 32, "cifar10", False),
    "dcgan_stl10": Row(5_134_659, 48, "stl10", False),
    "dcgan_celeba": Row(13_262_147, 64, "celeba", False),
    "resnet_cifar10": Row(4_282_115, 32, "cifar10", True),
    "resnet_stl10": Row(4_882_307, 48, "stl10", True),
    "resnet_celeba": Row(12_229_507, 64, "celeba", True),
    "cgan_cifar10": Row(4_312_835, 32, "cifar10", True, 10),
    "cgan_cifar100": Row(4_282_115 + 1536 * 2 * 100, 32, "cifar100", True, 100),
}


PUBLISHED = {  # parameters of the generators
    "r3/32": 20_732_160,
    "r3/64": 22_429_824,
    "r3/256": 23_057_952,
    "stylegan2/32": 19_947_539,
    "stylegan2/256": 24_767_458,
}


OFTEN_ROWS = {"dcgan_stl10", "cgan_cifar10"}


class Built(Exception):  # noqa: N818
    """Ends the command when model and data are built."""


def build(*args: Any) -> tuple[SlimGAN, ByteDataModule, dict[str, Any]]:
    """Return the model, the data module and the trainer's settings that ``slimgan fit`` makes of arguments."""
    seen: list[SlimGANCLI] = []

    class Spy(SlimGANCLI):
        def instantiate_trainer(self, **_: Any) -> Any:
            seen.append(self)
            raise Built

    with pytest.raises(Built):
        Spy(["fit", *map(str, args)])
    return seen[0].model, seen[0].datamodule, seen[0].config["fit"]["trainer"].as_dict()


def count(net: Any) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@mostly_slow("name", ROWS, OFTEN_ROWS.__contains__)
def test_a_row_of_the_paper_has_its_net_its_data_and_its_settings(name: str) -> None:
    row = ROWS[name]
    model, data, trainer = build("--config", CONFIGS / "paper" / f"{name}.yaml")
    assert count(model.generator) == row.parameters
    assert (data.name, data.image_size, data.batch_size) == (row.data, row.image_size, 64)
    assert model.generator.num_classes == row.num_classes
    assert model.discriminators.num_shared == 2
    assert model.hparams["adversarial_loss"] == "hinge"
    assert model.objective.distill_target == "next"
    assert not model.objective.shared_latents
    assert model.critic_steps == (5 if row.is_residual else 1)
    assert model.objective.distill_weight == (10 if row.num_classes else 20)
    assert trainer["max_steps"] == 100_000
    assert model.evaluator is not None
    num_evaluated = 8_000 if row.data == "stl10" else 10_000
    assert model.evaluator.protocol == ("test", num_evaluated, num_evaluated, 50_000, 10)
    for optimizer in model.configure_optimizers():
        assert optimizer.defaults["lr"] == 2e-4
        assert tuple(optimizer.defaults["betas"]) == ((0.0, 0.9) if row.is_residual else (0.5, 0.999))


@pytest.mark.parametrize("nets", ["digits.yaml", "folder.yaml", "paper/cgan_cifar10.yaml"])
def test_a_recipe_composes_with_any_net_and_the_last_one_wins(nets: str) -> None:
    def compose(*recipes: str) -> SlimGAN:
        files = [CONFIGS / nets, *(CONFIGS / "recipes" / f"{name}.yaml" for name in recipes)]
        return build(*(word for file in files for word in ("--config", file)))[0]

    modern = compose("modern", "few_images")
    assert modern.objective.loss.is_relativistic
    assert modern.averaged_generator is not None
    assert modern.augmenter is not None
    assert not any("parametrizations" in name for name, _ in modern.discriminators.named_parameters())
    rates = [optimizer.defaults["lr"] for optimizer in compose().configure_optimizers()]
    assert [optimizer.defaults["lr"] for optimizer in modern.configure_optimizers()] == rates
    undone, paper = compose("modern", "few_images", "paper"), compose("paper")
    assert undone.augmenter is None
    without = {**undone.hparams, "augmentation": paper.hparams["augmentation"]}
    assert without == paper.hparams


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_nets_have_their_parameters(name: str) -> None:
    settings = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())["model"]["generator"]["init_args"]
    with torch.device("meta"):
        assert count(FAMILIES[Path(name).parent.name](**settings)) == PUBLISHED[name]


@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if Path(name).parent.name in FAMILIES])
def test_nets_without_norms_make_images_of_the_datas_size_in_widths_of_whole_groups(name: str) -> None:
    config = yaml.safe_load((CONFIGS / name).read_text())
    size = config["data"]["init_args"]["image_size"]
    assert Path(name).stem in (str(size), "small")
    with torch.device("meta"):
        generator = FAMILIES[Path(name).parent.name](**config["model"]["generator"]["init_args"])
    assert generator.image_size == size
    assert generator.widths == (0.25, 0.5, 0.75, 1.0)


def test_every_row_of_the_paper_is_held_to_it() -> None:
    assert {path.stem for path in (CONFIGS / "paper").glob("*.yaml")} == set(ROWS)


def reduced(config: str) -> list[str]:
    """Return the arguments for nets of few channels: a configuration's own over 16, or 32 and 8 without norms."""
    path = CONFIGS / config
    net = yaml.safe_load(path.read_text())["model"]
    if isinstance(net, str):
        net = yaml.safe_load((path.parent / net).read_text())
    args = []
    for part in ("generator", "discriminators"):
        channels = [channel // 16 for channel in net[part]["init_args"]["channels"]]
        if Path(config).parent.name in FAMILIES:
            channels = [32 if part == "generator" else 8] * len(channels)
        args += [f"--model.{part}.channels", str(channels)]
    return args


@mostly_slow("name", RUNS, OFTEN.__contains__)
def test_every_configuration_trains_on_data_in_its_layout(
    name: str, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    args = ["--trainer.accelerator", "cpu", "--trainer.default_root_dir", "run", "--data.batch_size", "2"]
    args += ["--trainer.max_steps", str(ITERATIONS), "--model.evaluator", "null", "--samples.num_latents", "2"]
    args += ["--trainer.log_every_n_steps", "2"]
    if Path(name).parent.name in FAMILIES:
        args += ["--model.micro_batches", "1"]
    if name.startswith("stylegan2"):
        args += ["--model.discriminators.minibatch_group", "2"]
    if name in FOLDERS or Path(name).parent.name in FAMILIES:
        args += [*reduced(name), "--data.root", str(image_folder)]
    elif name not in ("digits.yaml", "digits_paper.yaml"):
        source = next(source for source in WRITERS if source in name)
        WRITERS[source](tmp_path / "data")  # the folder is there, so that nothing is downloaded
        args += [*reduced(name), "--data.root", "data", "--data.verify", "false"]
    cli.main(["fit", "--config", str(CONFIGS / name), *args])
    checkpoint = read_checkpoint("run/version_0/checkpoints/last.ckpt")
    assert checkpoint["global_step"] == ITERATIONS
    for net in ("generator", "discriminators"):
        classes = checkpoint["hyper_parameters"][net]["init_args"]["num_classes"]
        assert classes == {
            "folder_conditional.yaml": 2,
            "paper/cgan_cifar10.yaml": 10,
            "paper/cgan_cifar100.yaml": 100,
        }.get(name, 0)
    assert Path("run/version_0/samples.png").is_file()


@pytest.mark.parametrize("name", sorted(ALIKE))
def test_every_other_configuration_is_built(name: str, image_folder: Path) -> None:
    model, data, _ = build("--config", CONFIGS / name, *reduced(name), "--data.root", image_folder)
    assert model.generator.image_size == data.image_size
    model.check_schedules(100)


def test_a_conditional_folder_gives_both_nets_its_classes(image_folder: Path) -> None:
    config = CONFIGS / "folder_conditional.yaml"
    model, data, _ = build("--config", config, *reduced(config.name), "--data.root", image_folder)
    assert (model.generator.num_classes, model.discriminators.num_classes, data.num_classes) == (2, 2, 2)


RESNET = CONFIGS / "paper" / "resnet_cifar10.yaml"
CGAN = CONFIGS / "paper" / "cgan_cifar10.yaml"


@mostly_slow("width", [0.25, 0.5, 0.75, 1.0])
def test_an_individual_gan_is_one_flag(width: float) -> None:
    whole = build("--config", RESNET)[0]
    model = build("--config", RESNET, "--model.individual", width)[0]
    assert count(model.generator) == count(whole.generator.slice(width))
    assert count(model.discriminators) == 4_215_300 // 4


@mostly_slow(("num_shared", "parameters"), [(2, 2_825_220), (0, 4_215_300), (4, None)])
def test_shared_stages_are_one_flag(num_shared: int, parameters: int | None) -> None:
    bank = build("--config", RESNET, "--model.discriminators.num_shared", num_shared)[0].discriminators
    assert len(bank.trunk) == num_shared
    assert parameters is None or count(bank) == parameters


def test_sharing_the_last_layer_alone_is_a_small_file() -> None:
    bank = build("--config", RESNET, "--config", CONFIGS / "paper" / "ablations" / "share_last_layer.yaml")[0]
    assert count(bank.discriminators) == 4_215_300 - 3 * 129
    assert len(bank.discriminators.trunk) == 0


@mostly_slow("target", ["widest", "none", "next"])
def test_the_target_of_distillation_is_one_flag(target: str) -> None:
    assert build("--config", RESNET, "--model.distill_target", target)[0].objective.distill_target == target


def test_the_switchable_conditional_norm_is_one_flag() -> None:
    model = build("--config", CGAN, "--model.generator.conditional_norm", "switchable")[0]
    assert any(isinstance(module, SwitchableConditionalBatchNorm2d) for module in model.generator.modules())
