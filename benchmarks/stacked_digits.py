"""Modes of stacked digits: ``python benchmarks/stacked_digits.py --json FILE`` from the repository's root.

A stacked digit is an RGB image, 16x16, whose channels are three digits drawn independently of each other: 1,000
modes. Each recipe trains the same nets for the same CPU time. The package's classifier of digits then tells the mode
of every image. For each width: the modes that at least one image hits, of 1,000, and the Kullback-Leibler divergence
in nats of the images' modes from all modes alike. Many modes and a low divergence are good; a collapsed net hits few.

The rows ``real`` are the floor of classifier and count: real stacked digits of the test and the training split, as
many as there are fakes, in the last column. Chance alone leaves 10,000 images of a perfect net at a divergence of
about 0.05, and 26,000 at 0.02.

The number of iterations is known before a training begins, as schedules need it: a short trial of each recipe
measures the CPU time of an iteration. ``CPU s`` is what the iterations have then really taken.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from jsonargparse import auto_cli
from measuring import machine, print_rows, print_table, save_json
from torch import Tensor
from trainings import RECIPES, fit, time_iteration

from slimgan_pl import SlimGAN
from slimgan_pl.data import ByteDataModule, DigitsDataModule, ImageSource
from slimgan_pl.evaluation import DigitsClassifier
from slimgan_pl.utils.images import to_bytes

CHUNK = 1000  # images that the classifier sees at once

WIDTHS = (0.25, 0.5, 0.75, 1.0)  # of recipes/nets.yaml


class StackedDigitsSource(ImageSource):
    """Stacks of three digits of one split, chosen independently with a fixed seed."""

    def __init__(self, digits: ImageSource, count: int) -> None:
        self.digits = digits
        self.numbers = np.random.default_rng(0).integers(len(digits), size=(count, 3))
        self.images = np.concatenate([digits.read(number) for number in range(len(digits))])

    @property
    def key(self) -> dict[str, Any]:
        return {"source": "stacked digits", "digits": self.digits.key, "count": len(self)}

    def __len__(self) -> int:
        return len(self.numbers)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        chosen: npt.NDArray[np.uint8] = self.images[self.numbers[index]]
        return chosen


class StackedDigitsDataModule(ByteDataModule):
    """Stacked digits, 16x16, without labels.

    Args:
        num_images: Images of each split.
        batch_size: Real images per discriminator update and process.
        cache_dir: Folder for the byte arrays; by default ``slimgan-pl`` in the user's cache folder.
    """

    name = "stacked-digits"
    num_classes = 0

    def __init__(self, num_images: int = 50_000, batch_size: int = 64, cache_dir: str | None = None) -> None:
        super().__init__(16, 3, batch_size, cache_dir)
        self.num_images = num_images

    def source(self, split: Any) -> StackedDigitsSource:
        return StackedDigitsSource(DigitsDataModule().source(split), self.num_images)


class Modes(NamedTuple):
    """Modes that images hit, of 1,000, and their divergence from all modes alike in nats."""

    hit: int
    divergence: float


def main(
    recipes: dict[str, list[str]] | None = None,
    cpu_seconds: float = 400.0,
    seeds: int = 1,
    num_images: int = 10_000,
    num_train: int = 50_000,
    trial: int = 40,
    threads: int = 1,
    root: str = "runs/benchmarks/stacked_digits",
    json: str | None = None,
) -> None:
    """Train stacked digits by several recipes for the same CPU time, and count modes.

    Args:
        recipes: Configuration files of each recipe, on top of the nets in ``benchmarks/recipes/nets.yaml``; by default
            ``paper`` and ``modern``, the files beside them.
        cpu_seconds: CPU time of the iterations of each training.
        seeds: Trainings of each recipe.
        num_images: Images of each width whose modes are counted.
        num_train: Stacked digits to train on.
        trial: Iterations of the short training that measures an iteration.
        threads: Threads of PyTorch; with more than one the CPU time counts their waiting too.
        root: Folder of the runs.
        json: File to write the measurements to, after each training.
    """
    torch.set_num_threads(threads)
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    recipes = recipes or RECIPES
    data = (
        *("--data", "stacked_digits.StackedDigitsDataModule", "--data.num_images", num_train),
        *("--model.generator.image_channels", 3, "--model.evaluator", "null"),
    )
    seconds = {name: time_iteration(files, *data, iterations=trial) for name, files in recipes.items()}
    iterations = {name: max(round(cpu_seconds / each), 1) for name, each in seconds.items()}
    for name, count in iterations.items():
        print(f"{name}: {count:,} iterations of {1e3 * seconds[name]:.0f} ms", flush=True)
    real = {split: count_modes(real_images(split, num_images)) for split in ("test", "train")}
    runs = []
    for seed in range(seeds):
        for name, files in recipes.items():
            where = "--trainer.default_root_dir", Path(root) / f"{name}-{seed}"
            run = fit(files, *data, *where, "--trainer.max_steps", iterations[name], "--seed_everything", seed)
            modes = {width: count_modes(fake_images(run.model, num_images, width)) for width in WIDTHS}
            runs.append({"recipe": name, "seed": seed, "cpu_s": sum(run.cpu_seconds), "modes": modes})
            print(f"{name}, seed {seed}: {', '.join(str(each.hit) for each in modes.values())} modes", flush=True)
            save_json(as_json(runs, real, iterations, seconds, num_images), json)
    show(runs, real, iterations, num_images)


def real_images(split: str, count: int) -> Tensor:
    """Return real stacked digits ``(N, 3, 16, 16)``, uint8."""
    source = StackedDigitsSource(DigitsDataModule().source(split), count)  # type: ignore[arg-type]
    return torch.from_numpy(source.images[source.numbers])


def fake_images(model: SlimGAN, count: int, width: float) -> Tensor:
    """Return images of the net ``(N, 3, 16, 16)``, uint8, of the same latents for every width."""
    return to_bytes(model.sample(count, width, generator=torch.Generator().manual_seed(0)))


@torch.inference_mode()
def count_modes(images: Tensor) -> Modes:
    """Return the modes of stacked digits ``(N, 3, 16, 16)``, uint8."""
    classifier = DigitsClassifier()
    chunks = images.flatten(0, 1)[:, None].split(CHUNK)
    digits = torch.cat([classifier(chunk)[1].argmax(dim=1) for chunk in chunks])
    modes = digits.reshape(-1, 3) @ torch.tensor([100, 10, 1])
    shares = modes.bincount(minlength=1000).double() / len(images)
    divergence = torch.special.xlogy(shares, 1000 * shares).sum()
    return Modes(int(shares.count_nonzero()), float(divergence))


def show(
    runs: Sequence[Mapping[str, Any]], real: Mapping[str, Modes], iterations: Mapping[str, int], num_images: int
) -> None:
    """Print modes and divergences of each training, their means, and the real images."""
    heads = ["", "iterations", "CPU s", *(f"width {width:g}" for width in WIDTHS)]
    titles = {"hit": "Modes of 1,000", "divergence": "KL divergence from all modes alike, in nats"}
    for field, title in titles.items():
        rows = []
        for name, count in iterations.items():
            of_recipe = [run for run in runs if run["recipe"] == name]
            groups = [(str(run["seed"]), [run]) for run in of_recipe]
            for label, group in [*groups, ("mean", of_recipe)] if len(groups) > 1 else groups:
                means = [statistics.mean(getattr(run["modes"][width], field) for run in group) for width in WIDTHS]
                seconds = statistics.mean(run["cpu_s"] for run in group)
                rows.append([f"{name} {label}", f"{count:,}", f"{seconds:.0f}", *(f"{mean:.4g}" for mean in means)])
        rows += [[f"real {split}", "", "", *[""] * 3, f"{getattr(modes, field):.4g}"] for split, modes in real.items()]
        print_rows(f"{title}, of {num_images:,} images", heads, rows)


def as_json(
    runs: Sequence[Mapping[str, Any]],
    real: Mapping[str, Modes],
    iterations: Mapping[str, int],
    seconds: Mapping[str, float],
    num_images: int,
) -> dict[str, Any]:
    """Return all measurements as plain values."""
    plain = [{**run, "modes": {f"{width:g}": each._asdict() for width, each in run["modes"].items()}} for run in runs]
    return {
        "num_images": num_images,
        "iterations": dict(iterations),
        "iteration_s": dict(seconds),
        "real": {split: modes._asdict() for split, modes in real.items()},
        "runs": plain,
    }


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
