"""The table of widths, printed and saved as JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console
from rich.table import Table

from slimgan_pl.callbacks.cost import TrainingCost
from slimgan_pl.callbacks.folders import output_path, run_folder

if TYPE_CHECKING:
    from slimgan_pl.slimgan import SlimGAN

__all__ = ["ResultsTable", "results_table", "title"]


class ResultsTable(Callback):
    """Prints the figures of every width after each evaluation and saves them as JSON."""

    def __init__(self) -> None:
        self.last_path: Path | None = None

    def on_validation_end(self, trainer: Trainer, pl_module: "SlimGAN") -> None:  # type: ignore[override]
        path = run_folder(trainer) / "results" / f"iteration_{trainer.global_step:06d}.json"
        self._report(trainer, pl_module, path if trainer.state.fn == "fit" else output_path(trainer, "results.json"))

    def on_test_end(self, trainer: Trainer, pl_module: "SlimGAN") -> None:  # type: ignore[override]
        self._report(trainer, pl_module, output_path(trainer, "results.json"))

    def _report(self, trainer: Trainer, model: "SlimGAN", path: Path) -> None:
        if model.results is None:
            return
        self.last_path = path
        costs = [callback.figures for callback in trainer.callbacks if isinstance(callback, TrainingCost)]  # type: ignore[attr-defined]
        report({**model.results, "training": costs[0] if costs else None}, path)


@rank_zero_only
def report(results: dict[str, Any], path: Path) -> None:
    Console().print(results_table(results))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")


def results_table(results: dict[str, Any]) -> Table:
    """Return the figures of an evaluation as a table with a row per width.

    Args:
        results: What ``Evaluator.judge`` returned, with the iteration.
    """
    extractor = results["extractor"]
    suffix = "" if extractor == "inception" else f"_{extractor}"
    fid, score, deviation = (f"{name}{suffix}" for name in ("fid", "is", "is_std"))
    table = Table(
        title=f"Iteration {results['iteration']}: {results['num_fake']} fakes per width against "
        f"{results['num_real']} real images",
        caption=between_widths(results, suffix, extractor) if f"mic{suffix}" in results else None,
    )
    real = results["real"]
    columns = ["width", "parameters", "MACs", f"{title('FID', extractor)} ↓"]
    for column in columns + ([f"{title('IS', extractor)} ↑"] if score in real else []):
        table.add_column(column, justify="right")
    for row in results["widths"]:
        cells = [f"{row['width']:g}", f"{row['parameters']:,}", f"{row['macs'] / 1e6:.2f} M", f"{row[fid]:.4g}"]
        scores = [score_text(row[score], row[deviation], results["splits"])] if score in row else []
        table.add_row(*cells, *scores)
    if score in real:
        table.add_row("real", "", "", "", score_text(real[score], real[deviation], results["splits"]))
    return table


def score_text(mean: float, deviation: float, splits: int) -> str:
    """Return a score, with its deviation where there is more than one split."""
    return f"{mean:.3f} ± {deviation:.3f}" if splits > 1 else f"{mean:.3f}"


def between_widths(results: dict[str, Any], suffix: str, extractor: str) -> str:
    """Return what an evaluation says of how alike the widths are."""
    lines = [f"Between widths: {title('mIC', extractor)} {results[f'mic{suffix}']:.4g} ↓"]
    if f"agreement{suffix}" in results:
        lines.append(f"same class drawn from the same latent {results[f'agreement{suffix}']:.1%} ↑")
    return ", ".join(lines)


def title(figure: str, extractor: str) -> str:
    """Return a figure's name; another extractor than Inception is always named."""
    return figure if extractor == "inception" else f"{figure} ({extractor})"
