"""Divergence over seeds and learning rates: ``python benchmarks/seeds.py --json FILE`` from the repository's root.

The digits' configuration trains anew with each seed at each learning rate, of both sides alike, in short runs. A row
shows the final FID (digits), mean of the widths and that of each; the sentence with which the run ended early, if it
diverged; and the first of the run's warnings, with their number. The second table counts them by learning rate. A run
that has collapsed without a word shows as a high FID with neither.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jsonargparse import auto_cli
from measuring import machine, print_rows, print_table, save_json
from trainings import RECIPES, fid_by_width, fit, recorded_warnings

from slimgan_pl import SlimGANError


class Outcome(NamedTuple):
    """A run's FID by width, the sentence that ended it, and its warnings."""

    lr: float
    seed: int
    fid: dict[float, float]
    error: str | None
    warnings: list[str]

    @property
    def mean(self) -> float:
        """Mean FID of the widths; infinite of a run that diverged."""
        return statistics.mean(self.fid.values()) if self.fid else float("inf")


def main(
    seeds: int = 10,
    learning_rates: list[float] | None = None,
    recipe: list[str] | None = None,
    iterations: int = 400,
    threads: int = 1,
    root: str = "runs/benchmarks/seeds",
    json: str | None = None,
) -> None:
    """Train the digits with several seeds and learning rates, and count divergences.

    Args:
        seeds: Seeds of each learning rate.
        learning_rates: Learning rates of both sides; by default 0.001, 0.002 and 0.004.
        recipe: Configuration files on top of the nets in ``benchmarks/recipes/nets.yaml``; by default ``modern.yaml``
            beside them.
        iterations: Iterations of each training.
        threads: Threads of PyTorch.
        root: Folder of the runs.
        json: File to write the measurements to, after each training.
    """
    torch.set_num_threads(threads)
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    outcomes = []
    for lr in learning_rates or [0.001, 0.002, 0.004]:
        for seed in range(seeds):
            outcomes.append(train(recipe or RECIPES["modern"], lr, seed, iterations, Path(root) / f"{lr:g}-{seed}"))
            print(f"learning rate {lr:g}, seed {seed}: FID {outcomes[-1].mean:.1f}", flush=True)
            save_json({"iterations": iterations, "runs": [each._asdict() for each in outcomes]}, json)
    show(outcomes)
    show_counts(outcomes)


def train(recipe: Sequence[str], lr: float, seed: int, iterations: int, root: Path) -> Outcome:
    """Return the outcome of one training."""
    options: list[Any] = ["--seed_everything", seed, "--trainer.max_steps", iterations]
    options += ["--trainer.default_root_dir", root]
    for side in ("generator", "discriminator"):
        options += [f"--model.{side}_optimizer.lr", lr]
    fid: dict[float, float] = {}
    error = None
    with recorded_warnings() as sentences:
        try:
            fid = fid_by_width(fit(recipe, *options).model)
        except SlimGANError as failure:
            error = str(failure)
    return Outcome(lr, seed, fid, error, sentences)


def show(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each training."""
    widths = next((each.fid for each in outcomes if each.fid), {})
    rows = []
    for each in outcomes:
        values = [each.mean, *each.fid.values()] if each.fid else []
        cells = [f"{value:.1f}" for value in values] or ["-"] * (1 + len(widths))
        more = f" (and {len(each.warnings) - 1} more)" if len(each.warnings) > 1 else ""
        rows.append([f"{each.lr:g}, {each.seed}", *cells, each.error or "", f"{''.join(each.warnings[:1])}{more}"])
    heads = ["lr, seed", "FID", *(f"{width:g}" for width in widths), "diverged", "warned"]
    print_rows("Final FID (digits): mean of the widths, and each", heads, rows)


def show_counts(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each learning rate."""
    rows = []
    for lr in dict.fromkeys(each.lr for each in outcomes):
        group = [each for each in outcomes if each.lr == lr]
        means = [each.mean for each in group]
        spread = [f"{value:.1f}" for value in (min(means), statistics.median(means), max(means))]
        counts = sum(each.error is not None for each in group), sum(bool(each.warnings) for each in group)
        rows.append([f"{lr:g}", str(len(group)), *map(str, counts), *spread])
    heads = ["lr", "runs", "diverged", "warned", "least FID", "median", "most"]
    print_rows("Runs by learning rate", heads, rows)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
