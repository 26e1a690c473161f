"""Training on few images: ``python benchmarks/few_images.py --json FILE`` from the repository's root.

The modern recipe trains on 200 digits, as many of each class, for so long that its discriminators overfit: they know
the training images by heart, and tell little else. ``real_sign`` shows it, the mean sign of the logits of real images
(of a relativistic loss: of their distance from those of fakes): 0 where discriminators cannot tell, 1 where they
always can. It is the mean over the iterations since the evaluation before, and over widths. FID (digits) against the
test digits then rises again. Each variant trains for the same number of iterations, and is evaluated at the same
times.

The tables show, for each variant, ``real_sign`` and the mean FID of the widths over the run, then the best and the last
evaluation, of all widths and of each, with the probability ``p`` of the transforms. Where the last is far above the
best, the discriminators have overfitted. In runs too short for that, augmentation only slows down.
"""

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jsonargparse import auto_cli
from lightning.pytorch import Callback, LightningModule, Trainer
from measuring import machine, print_rows, print_table, save_json
from trainings import RECIPES, Subset, fid_by_width, fit

from slimgan_pl import SlimGAN
from slimgan_pl.data import DigitsDataModule, ImageSource
from slimgan_pl.errors import check_range
from slimgan_pl.runs.lightning_internals import callbacks_of

TRANSFORMS = ("flip", "translation", "color", "cutout")

ADAPTED = {"translation": ("translation",), "all but flip": ("translation", "color", "cutout")}

VARIANTS: dict[str, dict[str, Any]] = {
    "none": {},
    **{name: {"transforms": [name]} for name in TRANSFORMS},
    **{f"adaptive {name}": {"transforms": [*names], "p": 0.0, "target": 0.6} for name, names in ADAPTED.items()},
}


class FewDigitsDataModule(DigitsDataModule):
    """Some of the training digits, as many of each class, and all test digits.

    Args:
        num_images: Training digits, chosen with a fixed seed.
        batch_size: Real images per discriminator update and process.
        cache_dir: Folder for the byte arrays; by default ``slimgan-pl`` in the user's cache folder.
    """

    name = "few-digits"

    def __init__(self, num_images: int = 200, batch_size: int = 32, cache_dir: str | None = None) -> None:
        super().__init__(16, batch_size, cache_dir)
        self.num_images = num_images

    def source(self, split: Any) -> ImageSource:  # type: ignore[override]
        digits = super().source(split)
        if split == "test":
            return digits
        assert digits.labels is not None
        order = np.random.default_rng(0).permutation(len(digits))
        by_class = [order[digits.labels[order] == label] for label in range(self.num_classes)]
        turns = [number for turn in zip(*by_class, strict=False) for number in turn]  # one of each class in turn
        check_range("num_images", self.num_images, self.num_classes, len(turns))
        return Subset(digits, np.array(turns[: self.num_images]), "each class in turn")


class Evaluated(NamedTuple):
    """An evaluation: its iteration, sign statistic before it, probability, and FID by width."""

    iteration: int
    real_sign: float
    p: float
    fid: dict[float, float]

    @property
    def mean(self) -> float:
        """Mean FID of the widths."""
        return statistics.mean(self.fid.values())


class Curve(Callback):
    """FID and sign statistic at each evaluation."""

    def __init__(self) -> None:
        self.points: list[Evaluated] = []
        self._signs: list[float] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, SlimGAN)
        signs = pl_module.reports[-1].metrics["real_sign"]
        self._signs.append(float(torch.stack([*signs.values()]).mean()))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, SlimGAN)
        p = 0.0 if pl_module.augmenter is None else float(pl_module.augmenter.p)
        self.points.append(Evaluated(trainer.global_step, statistics.mean(self._signs), p, fid_by_width(pl_module)))
        self._signs.clear()


def main(
    variants: list[str] | None = None,
    recipe: list[str] | None = None,
    num_images: int = 200,
    iterations: int = 8000,
    every: int = 500,
    adaptive_images: int = 50_000,
    seed: int = 0,
    threads: int = 1,
    root: str = "runs/benchmarks/few_images",
    json: str | None = None,
) -> None:
    """Train on few digits until discriminators overfit, with and without augmentation.

    Args:
        variants: Any of none, flip, translation, color, cutout (each with probability 1), adaptive translation and
            adaptive all but flip; by default all.
        recipe: Configuration files on top of the nets in ``benchmarks/recipes/nets.yaml``; by default ``modern.yaml``
            beside them.
        num_images: Training digits, a choice that is always the same.
        iterations: Iterations of each training.
        every: Iterations from one evaluation to the next; the last one counts where it ends the training.
        adaptive_images: Images over which an adaptive probability rises from 0 to 1 at most.
        seed: Seed of weights, latents and order.
        threads: Threads of PyTorch.
        root: Folder of the runs.
        json: File to write the measurements to, after each training.
    """
    torch.set_num_threads(threads)
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    rhythm = "--trainer.max_steps", iterations, "--trainer.val_check_interval", min(every, iterations)
    data = "--data", "few_images.FewDigitsDataModule", "--data.num_images", num_images
    curves: dict[str, list[Evaluated]] = {}
    for name in variants or VARIANTS:
        where = "--trainer.default_root_dir", Path(root) / f"{name.replace(' ', '_')}-{seed}"
        options = [*data, *rhythm, *where, "--seed_everything", seed]
        for key, value in VARIANTS[name].items():
            options += [f"--model.augmentation.{key}", value]
        if "target" in VARIANTS[name]:
            options += ["--model.augmentation.images", adaptive_images]
        run = fit(recipe or RECIPES["modern"], *options, callbacks=[Curve])
        curves[name] = callbacks_of(run.trainer, Curve)[0].points
        print(f"{name}: FID {curves[name][-1].mean:.1f} at the end", flush=True)
        save_json({"num_images": num_images, "seed": seed, "curves": as_json(curves)}, json)
    show_curves(curves)
    show_ends(curves)


def show_curves(curves: Mapping[str, list[Evaluated]]) -> None:
    """Print the sign statistic and the mean FID of each variant over the run."""
    values = {
        "real_sign": lambda point: f"{point.real_sign:.2f}",
        "Mean FID (digits)": lambda point: f"{point.mean:.1f}",
    }
    for title, value in values.items():
        rows = [[f"{points[0].iteration:,}", *map(value, points)] for points in zip(*curves.values(), strict=True)]
        print_rows(f"{title} by iteration", ["", *curves], rows)


def show_ends(curves: Mapping[str, list[Evaluated]]) -> None:
    """Print the best and the last evaluation of each variant."""
    widths = next(iter(curves.values()))[0].fid
    rows = []
    for name, points in curves.items():
        for label, point in {"best": min(points, key=lambda each: each.mean), "last": points[-1]}.items():
            start = (
                f"{name}, {label}",
                f"{point.iteration:,}",
                f"{point.real_sign:.2f}",
                f"{point.p:.2f}",
                f"{point.mean:.1f}",
            )
            rows.append([*start, *(f"{value:.1f}" for value in point.fid.values())])
    heads = ["", "iteration", "real_sign", "p", "mean", *(f"{width:g}" for width in widths)]
    print_rows("FID (digits) of the best and the last evaluation: mean of the widths, and each", heads, rows)


def as_json(curves: Mapping[str, list[Evaluated]]) -> dict[str, list[dict[str, Any]]]:
    """Return all evaluations as plain values."""
    return {name: [{**each._asdict(), "mean": each.mean} for each in points] for name, points in curves.items()}


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
