"""Pictures of samples of every width."""

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from slimgan_pl.errors import MAX_SEED, check_range
from slimgan_pl.runs.lightning_internals import output_path, run_folder
from slimgan_pl.training.sample_grid import sample_grid
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.files import continuing_without
from slimgan_pl.utils.images import save_images

__all__ = ["SampleGrid"]


class SampleGrid(Callback):
    """Save grids of every width, always of the same latents.

    A grid has a row per width (and class) and a column per latent.

    Args:
        every_n_iterations: Iterations between two grids; one more comes at the end. 0 saves only that one.
        num_latents: Columns.
        seed: Seed of the latents.

    Attributes:
        last_path: The last grid, or None where there is none.
        is_unwritten: Whether the last grid could not be written.
    """

    def __init__(self, every_n_iterations: int = 500, num_latents: int = 10, seed: int = 0) -> None:
        check_range("the samples' every_n_iterations", every_n_iterations, 0)
        check_range("the samples' num_latents", num_latents, 1)
        check_range("the samples' seed", seed, 0, MAX_SEED)
        self.every_n_iterations = every_n_iterations
        self.num_latents = num_latents
        self.seed = seed
        self.last_path: Path | None = None
        self.is_unwritten = False
        self._saved_at: int | None = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: SlimGAN, *_: Any) -> None:  # type: ignore[override]
        if self.every_n_iterations > 0 and trainer.global_step % self.every_n_iterations == 0:
            self._save_in_run(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: SlimGAN) -> None:  # type: ignore[override]
        if self._saved_at != trainer.global_step:
            self._save_in_run(trainer, pl_module)

    on_fit_end = on_train_end  # type: ignore[assignment]  # for a run stopped at its end

    def on_test_end(self, trainer: Trainer, pl_module: SlimGAN) -> None:  # type: ignore[override]
        self._save(output_path(trainer, run_folder(trainer).samples), pl_module)

    def _save_in_run(self, trainer: Trainer, model: SlimGAN) -> None:
        model.settle_statistics()
        self._saved_at = trainer.global_step
        path = run_folder(trainer).sample_grid(trainer.global_step)
        grid = self._save(path, model)
        with continuing_without("the picture in the logs"):
            log_picture(trainer, grid)

    def _save(self, path: Path, model: SlimGAN) -> Tensor:
        grid = sample_grid(model, self.num_latents, self.seed)
        if model.global_rank == 0:
            self.last_path, self.is_unwritten = None, True
            with continuing_without(f"the picture {path}"):
                save_images(grid, path)
                self.last_path, self.is_unwritten = path, False
        return grid


@rank_zero_only
def log_picture(trainer: Trainer, grid: Tensor) -> None:
    """Log a grid of bytes; wandb shows floats in [-1, 1] black."""
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image("samples", grid, trainer.global_step)
        elif isinstance(logger, WandbLogger):
            logger.log_image("samples", [grid.permute(1, 2, 0).numpy()], step=trainer.global_step)
