"""Pictures of what the widths draw."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from slimgan_pl.callbacks.folders import output_path, run_folder
from slimgan_pl.errors import MAX_SEED, UserError, check_range
from slimgan_pl.files import going_on_without
from slimgan_pl.images import save_images, width_grid

if TYPE_CHECKING:
    from slimgan_pl.slimgan import SlimGAN

__all__ = ["SampleGrid", "draw_grid", "shown_classes"]

MOST_CLASSES = 10


class SampleGrid(Callback):
    """Saves a grid with a row per width (and class) and a column per latent, always of the same latents.

    Args:
        every_n_iterations: Iterations between two grids; there is one more at the end. 0 draws that one alone.
        num_latents: Columns.
        seed: Seed of the latents.
    """

    def __init__(self, every_n_iterations: int = 500, num_latents: int = 10, seed: int = 0) -> None:
        if every_n_iterations < 0 or num_latents < 1:
            raise UserError("a sample grid needs at least 1 latent, and 0 or more iterations between two")
        check_range("the samples' seed", seed, 0, MAX_SEED)
        self.every_n_iterations = every_n_iterations
        self.num_latents = num_latents
        self.seed = seed
        self.last_path: Path | None = None
        self._drawn_at: int | None = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: "SlimGAN", *_: Any) -> None:  # type: ignore[override]
        if self._is_due(trainer):
            self._save_in_run(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: "SlimGAN") -> None:  # type: ignore[override]
        if self._drawn_at != trainer.global_step:
            self._save_in_run(trainer, pl_module)

    on_fit_end = on_train_end  # type: ignore[assignment]  # of a run that was stopped at its end

    def on_test_end(self, trainer: Trainer, pl_module: "SlimGAN") -> None:  # type: ignore[override]
        self._save(output_path(trainer, "samples.png"), pl_module)

    def _is_due(self, trainer: Trainer) -> bool:
        return self.every_n_iterations > 0 and trainer.global_step % self.every_n_iterations == 0

    def _save_in_run(self, trainer: Trainer, model: "SlimGAN") -> None:
        model.settle_statistics()
        self._drawn_at = trainer.global_step
        path = run_folder(trainer) / "samples" / f"iteration_{trainer.global_step:06d}.png"
        grid = self._save(path, model)
        with going_on_without("the picture in the logs"):
            log_picture(trainer, grid)

    def _save(self, path: Path, model: "SlimGAN") -> Tensor:
        grid = draw_grid(model, self.num_latents, self.seed)
        if model.global_rank == 0:
            with going_on_without(f"the picture {path}"):
                save_images(grid, path)
        self.last_path = path
        return grid


def draw_grid(model: "SlimGAN", num_latents: int, seed: int, label: int | None = None) -> Tensor:
    """Return a uint8 picture ``(3, H, W)``: a row per width, narrow to wide, and a column per latent.

    With classes these rows come for each class in turn: for ``label`` alone, or for all, or ten of them where there are
    more.
    """
    classes = model.generator.num_classes
    shown: Iterable[int] = shown_classes(classes) if label is None else [label]
    rows = [
        model.sample(
            num_latents,
            width,
            torch.full((num_latents,), each) if classes else None,
            torch.Generator().manual_seed(seed),
        )
        for each in shown
        for width in model.generator.widths
    ]
    return width_grid(rows)


def shown_classes(num_classes: int) -> Sequence[int]:
    """Return the classes that a grid shows: all, ten of them where there are more, or one that stands for none.

    >>> list(shown_classes(0)), list(shown_classes(20))
    ([0], [0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    """
    return range(0, max(num_classes, 1), -(-num_classes // MOST_CLASSES) or 1)


@rank_zero_only
def log_picture(trainer: Trainer, grid: Tensor) -> None:
    """Show a grid in TensorBoard and Weights & Biases, as bytes: wandb draws floats in [-1, 1] black."""
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image("samples", grid, trainer.global_step)
        elif isinstance(logger, WandbLogger):
            logger.log_image("samples", [grid.permute(1, 2, 0).numpy()], step=trainer.global_step)
