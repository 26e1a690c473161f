"""Cost of a step's ingredients: ``python benchmarks/step_cost.py --json FILE`` from the repository's root.

Each ingredient takes turns with the step without it, in one process: a turn without, a turn with, again and again. A
turn is a short training under Lightning of the same model, timed from the end of one iteration to the end of the
next, in CPU time (on a GPU in wall time). ``ratio`` is the median over the rounds of a turn's median with the
ingredient over that of the turn without it beside; a quarter of the rounds lie below ``low``, a quarter above
``high``. To tell 1.02 from 1 takes a quiet machine and 20 rounds.

The step without is that of the relativistic loss with shared latents and no spectral norm.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jsonargparse import auto_cli
from lightning.pytorch import Callback, Trainer
from measuring import best_device, machine, print_rows, print_table, save_json, synchronize
from trainings import quiet_lightning

from slimgan_pl import SlimGAN, default_trainer_arguments
from slimgan_pl.data import ByteDataModule, DigitsDataModule
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    ResNetDiscriminatorBank,
    ResNetGenerator,
    SlimmableGenerator,
)
from slimgan_pl.training.augmentation import Augmentation
from slimgan_pl.training.ema import EMA
from slimgan_pl.training.penalties import Penalty

TIMES, RATIOS = ("without_s", "with_s"), ("ratio", "low", "high")

WARM_UP = 2  # iterations of a turn that do not count


class Net(NamedTuple):
    """Makers of a generator and its bank, which takes ``spectral_norm``."""

    generator: Callable[[], SlimmableGenerator]
    bank: Callable[..., DiscriminatorBank]


NETS = {
    "digits": Net(
        partial(DCGANGenerator, (128, 64, 32), latent_dim=64, image_channels=1),
        partial(DCGANDiscriminatorBank, (16, 32, 64), image_channels=1, num_shared=1),
    ),
    "dcgan-32-small": Net(
        partial(DCGANGenerator, (128, 64, 32, 16), image_channels=1),
        partial(DCGANDiscriminatorBank, (16, 32, 64, 128), image_channels=1, num_shared=2),
    ),
    "resnet-32-small": Net(
        partial(ResNetGenerator, (64,) * 4, image_channels=1),
        partial(ResNetDiscriminatorBank, (32,) * 4, num_downsamples=2, image_channels=1, num_shared=2),
    ),
}

WITHOUT = {"adversarial_loss": "relativistic", "latents": "shared"}

INGREDIENTS: dict[str, dict[str, Any]] = {
    "EMA": {"ema": EMA(ramp_up=0.04)},
    "finite differences": {"penalty": Penalty(gamma=0.05)},
    "exact penalty": {"penalty": Penalty(gamma=0.05, method="exact")},
    "exact, whole batch": {"penalty": Penalty(gamma=0.05, method="exact", share=1.0)},
    "augmentation": {"augmentation": Augmentation(("flip", "translation", "color", "cutout"))},
    "spectral norm": {"spectral_norm": True},
}


class Stopwatch(Callback):
    """Times whole iterations, from the end of one to the end of the next."""

    def __init__(self) -> None:
        self.marks: list[float] = []

    def on_train_batch_end(self, *_: Any) -> None:
        synchronize()
        self.marks.append(time.perf_counter() if best_device().type == "cuda" else time.process_time())


def main(
    nets: list[str] | None = None,
    ingredients: list[str] | None = None,
    batch_size: int = 32,
    rounds: int = 10,
    iterations: int = 6,
    threads: int = 1,
    json: str | None = None,
) -> None:
    """Measure the cost of each ingredient of a step.

    Args:
        nets: Which of digits, dcgan-32-small and resnet-32-small; by default digits.
        ingredients: Which of EMA, finite differences, exact penalty, exact penalty of the whole batch, augmentation and
            spectral norm, by the names in the table; by default all.
        batch_size: Real images per discriminator update.
        rounds: Turns of each ingredient.
        iterations: Iterations that count in a turn.
        threads: Threads of PyTorch; with more than one the CPU time counts their waiting too.
        json: File to write the measurements to.
    """
    torch.set_num_threads(threads)
    quiet_lightning()
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    chosen = {name: INGREDIENTS[name] for name in ingredients or INGREDIENTS}
    results = {net: compare(net, chosen, batch_size, rounds, iterations) for net in nets or ["digits"]}
    save_json({"batch_size": batch_size, "threads": threads, "nets": results}, json)


def compare(
    net: str, ingredients: Mapping[str, dict[str, Any]], batch_size: int, rounds: int, iterations: int
) -> dict[str, Any]:
    """Run each ingredient and the step without in turns, print and return the ratios."""
    without = build(net)
    models = {name: build(net, **settings) for name, settings in ingredients.items()}
    data = DigitsDataModule(image_size=without.generator.image_size, batch_size=batch_size)  # type: ignore[arg-type]
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in models}
    for number in range(rounds):
        for name, model in models.items():
            pair = [("without", without), ("with", model)][:: 1 if number % 2 else -1]  # neither always comes first
            turns[name].append({key: turn(each, data, iterations) for key, each in pair})
    results = {name: summarize(pairs) for name, pairs in turns.items()}
    rows = [
        [name, *(f"{1e3 * row[key]:.1f}" for key in TIMES), *(f"{row[key]:.3f}" for key in RATIOS)]
        for name, row in results.items()
    ]
    heads = ["", "ms without", "ms with", *RATIOS]
    print_rows(f"{net}, batch {batch_size}, {rounds} rounds", heads, rows)
    return results


def build(net: str, spectral_norm: bool = False, **settings: Any) -> SlimGAN:
    """Return a model with settings of its step, the same weights each time."""
    torch.manual_seed(0)
    nets = NETS[net].generator(), NETS[net].bank(spectral_norm=spectral_norm)
    return SlimGAN(*nets, **{**WITHOUT, **settings})


def turn(model: SlimGAN, data: ByteDataModule, iterations: int) -> float:
    """Return the median seconds of an iteration in a short training."""
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        arguments = default_trainer_arguments(
            folder,
            max_steps=WARM_UP + iterations,
            accelerator=best_device().type,
            devices=1,
            logger=False,
            callbacks=[stopwatch],
            enable_checkpointing=False,
            enable_progress_bar=False,
            limit_val_batches=0,
        )
        Trainer(**arguments).fit(model, data)
    marks = stopwatch.marks[WARM_UP - 1 :]
    return statistics.median(after - before for before, after in pairwise(marks))


def summarize(pairs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return medians of turns without and with an ingredient, and of their ratios with the quartiles."""
    ratios = [pair["with"] / pair["without"] for pair in pairs]
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    medians = {f"{key}_s": statistics.median(pair[key] for pair in pairs) for key in ("without", "with")}
    return {**medians, "ratio": ratio, "low": low, "high": high}


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
