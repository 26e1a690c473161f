"""Quality of small nets against CPU time: ``python benchmarks/net_quality.py --root IMAGES --extractor CLASS``.

Each net trains on a folder of images at 32x32 by the same recipe, with the same discriminators, for the same CPU time
of its training steps on one thread; every evaluation has the FID of each width. The nets, at about the same
multiply-accumulates:

- ``resnet``: the paper's ResNet-32 at a quarter of its channels, with a batch norm per width.
- ``r3``: R3 with one block a stage.
- ``plain``: upsampling, a 3x3 convolution and LeakyReLU a stage, without norms.
- ``stylegan2``: StyleGAN2 with a small mapping net.

A net's row says how often its learning rate is the discriminators'. Run this for hours, from the repository's root.
"""

import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jsonargparse import auto_cli
from lightning.pytorch import Callback, LightningModule, Trainer
from measuring import machine, print_rows, print_table, save_json
from torch import Tensor, nn
from trainings import Clock, fid_by_width, quiet_lightning

from slimgan_pl import SlimGAN
from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.layers import ScaledConv2d, SlicedLinear, Upsample, scaled_normal
from slimgan_pl.models import SlimmableGenerator, count_macs, count_parameters
from slimgan_pl.models.generator import WIDTHS
from slimgan_pl.runs.lightning_internals import callbacks_of
from slimgan_pl.utils.recipes import class_path

RATE = 0.0005  # learning rate of the discriminators

SLOPE = 0.2  # of the LeakyReLU below 0


class PlainGenerator(SlimmableGenerator):
    """Linear stem; upsampling, 3x3 convolution and LeakyReLU per stage; 1x1 convolution; no norms."""

    def __init__(self, channels: tuple[int, ...], latent_dim: int = 128, widths: tuple[float, ...] = WIDTHS) -> None:
        super().__init__(channels, widths, latent_dim, 4 * 2 ** (len(channels) - 1), image_channels=3)
        gain = (2 / (1 + SLOPE**2)) ** 0.5
        self.stem = scaled_normal(SlicedLinear(latent_dim, channels[0] * 16))
        convs = [ScaledConv2d(low, high, 3, padding=1) for low, high in pairwise((channels[0], *channels))]
        self.convs = nn.ModuleList(scaled_normal(conv, gain) for conv in convs)
        self.upsample = Upsample()
        self.image = scaled_normal(ScaledConv2d(channels[-1], 3, 1))

    def synthesize(self, latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        x = self.stem(latents, width).unflatten(1, (-1, 4, 4))
        for number, conv in enumerate(self.convs):
            x = F.leaky_relu(conv(self.upsample(x) if number else x, width), SLOPE)
        images: Tensor = self.image(x)
        return images if self.training else images.clamp(-1, 1)


class Candidate(NamedTuple):
    """A generator: class, arguments, learning rate over the discriminators', weight of distillation."""

    generator: str
    arguments: dict[str, Any]
    rate: float = 1.0
    distill_weight: float = 10.0


NETS = {
    "resnet": Candidate("slimgan_pl.models.ResNetGenerator", {"channels": [64] * 4}, 1.0, 12.0),
    "r3": Candidate("slimgan_pl.models.R3Generator", {"channels": [96] * 4, "blocks": 1, "latent_dim": 128}, 2.0),
    "plain": Candidate("net_quality.PlainGenerator", {"channels": [128, 128, 96, 72]}, 2.0),
    "stylegan2": Candidate(
        "slimgan_pl.models.StyleGAN2Generator",
        {"channels": [128, 128, 96, 64], "latent_dim": 128, "mapping_layers": 2},
        5.0,
    ),
}

SHARED: dict[str, Any] = {
    "trainer.accelerator": "cpu",
    "trainer.enable_progress_bar": False,
    "model.discriminators": "slimgan_pl.models.DCGANDiscriminatorBank",
    "model.discriminators.channels": [32, 64, 128, 256],
    "model.discriminators.num_shared": 4,
    "model.discriminators.spectral_norm": False,
    "model.adversarial_loss": "relativistic",
    "model.latents": "shared",
    "model.penalty.gamma": 0.05,
    "model.ema.ramp_up": 0.04,
    "model.schedules.lr.factor": 0.1,
    "data": "slimgan_pl.data.ImageFolderDataModule",
    "data.image_size": 32,
    "data.batch_size": 32,
    "data.flip": True,
}

WARM_UP = 4  # iterations that do not count for a net's pace


class Curve(Callback):
    """CPU time of training and FID of each width at every evaluation."""

    def __init__(self) -> None:
        self.points: list[dict[str, Any]] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, SlimGAN)
        spent = sum(callbacks_of(trainer, Clock)[0].seconds)
        self.points.append({"iteration": trainer.global_step, "cpu_s": spent, "fid": fid_by_width(pl_module)})


def options_of(name: str, root: str, folder: Path) -> list[str]:
    """Return the options of a net's training."""
    net, settings = NETS[name], dict(SHARED)
    settings |= {"data.root": root, "trainer.default_root_dir": folder, "model.distill_weight": net.distill_weight}
    for side, rate in (("generator", RATE * net.rate), ("discriminator", RATE)):
        settings[f"model.{side}_optimizer"] = "torch.optim.Adam"
        settings |= {
            f"model.{side}_optimizer.{key}": value for key, value in {"lr": rate, "betas": [0.0, 0.99]}.items()
        }
        settings[f"model.{side}_optimizer.fused"] = True
    settings["model.generator"] = net.generator
    settings |= {f"model.generator.{key}": value for key, value in net.arguments.items()}
    return [word for key, value in settings.items() for word in (f"--{key}", str(value))]


def fit(options: list[str], *more: object, callbacks: tuple[type[Callback], ...] = ()) -> SlimGANCLI:
    """Train with ``slimgan fit``."""
    words = [*options, *map(str, more)]
    kinds: list[type[Callback]] = [Clock, *callbacks]
    for kind in kinds:
        words += ["--trainer.callbacks+", class_path(kind)]
    return SlimGANCLI(["fit", *words])


def main(
    root: str,
    extractor: str,
    nets: list[str] | None = None,
    minutes: float = 90.0,
    evaluations: int = 6,
    num_fake: int = 5000,
    seed: int = 0,
    runs: str = "runs/benchmarks/net_quality",
    json: str | None = None,
) -> None:
    """Train small nets for the same CPU time.

    Args:
        root: Folder of images.
        extractor: Class of the feature extractor, such as ``my_extractor.Thumbnail``.
        nets: Any of resnet, r3, plain and stylegan2; by default all.
        minutes: CPU time of each training.
        evaluations: Evaluations of each training.
        num_fake: Fakes of each width at an evaluation.
        seed: Seed of weights, latents and order.
        runs: Folder of the runs.
        json: File to write the curves to, after each training.
    """
    torch.set_num_threads(1)
    quiet_lightning()
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    curves = {}
    for name in nets or NETS:
        options = options_of(name, root, Path(runs) / name)
        short = fit(options, "--model.evaluator", "null", "--trainer.max_steps", 3 * WARM_UP)
        pace = statistics.mean(callbacks_of(short.trainer, Clock)[0].seconds[WARM_UP:])
        steps = int(60 * minutes / pace)
        evaluator = ["--model.evaluator", "slimgan_pl.evaluation.Evaluator", "--model.evaluator.extractor", extractor]
        evaluator += ["--model.evaluator.num_fake", str(num_fake), "--model.evaluator.metrics", "[fid, mic]"]
        evaluator += ["--model.evaluator.splits", "1", "--seed_everything", str(seed)]
        rhythm = "--trainer.max_steps", steps, "--trainer.val_check_interval", -(-steps // evaluations)
        run = fit([*options, *evaluator], *rhythm, callbacks=(Curve,))
        generator = run.model.generator
        sizes = {
            f"{width:g}": {"parameters": count_parameters(generator, width), "macs": count_macs(generator, width)}
            for width in generator.widths
        }
        curves[name] = {"sizes": sizes, "points": callbacks_of(run.trainer, Curve)[0].points}
        save_json({"minutes": minutes, "seed": seed, "nets": curves}, json)
        show(name, curves[name])


def show(name: str, curve: dict[str, Any]) -> None:
    """Print the FID of each width at every evaluation."""
    macs = [f"{width} ({size['macs'] / 1e6:.0f} M)" for width, size in curve["sizes"].items()]
    rows = [
        [f"{point['iteration']:,}", f"{point['cpu_s'] / 60:.0f}", *(f"{value:.1f}" for value in point["fid"].values())]
        for point in curve["points"]
    ]
    print_rows(f"{name}: FID of each width (MACs)", ["iteration", "CPU min", *macs], rows)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
