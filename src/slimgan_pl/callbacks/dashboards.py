"""Widths side by side in TensorBoard and Weights & Biases."""

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.evaluation.metrics.registry import COLUMN_KEYS
from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.profiling import measure_latencies, narrow_net
from slimgan_pl.runs.csv_log import RunCSVLogger
from slimgan_pl.runs.curves import read_metrics
from slimgan_pl.runs.evaluations import evaluations_before
from slimgan_pl.runs.lightning_internals import callbacks_of, run_folder
from slimgan_pl.runs.loggers import ITERATION, RunWandbLogger, continuing_without_wandb
from slimgan_pl.training.gradient_norms import NORM
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.files import continuing_without

__all__ = ["Dashboards"]

QUANTITIES = (
    *("discriminator_loss", "generator_loss", "distillation_loss", "real_logits", "fake_logits"),
    *(f"generator{NORM}", f"discriminator{NORM}"),
)

LATENCY_ROUNDS = 10  # rounds of each measurement


class Dashboards(Callback):
    """Charts with a line per width, tables, and quality against cost.

    TensorBoard has the lines under Custom Scalars. Weights & Biases has all, brought up to date by evaluations and the
    end of training, with the best metrics in the summary, and the last checkpoint as an artifact if its logger is asked
    for it.
    """

    def __init__(self) -> None:
        self._latencies: dict[float, float] | None = None  # seconds by width; they do not depend on the weights
        self._evaluated_at: int | None = None  # iteration of the results that were logged last
        self._rows = 0  # rows of the CSV log when the charts of curves were logged last

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger) and trainer.is_global_zero:
                with continuing_without("the layout of TensorBoard's charts"):
                    logger.experiment.add_custom_scalars(layout())

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log_curves(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        folder = run_folder(trainer).path
        if isinstance(pl_module, SlimGAN) and pl_module.results is not None and wandb_loggers(trainer):
            with continuing_without_wandb():
                self._log_results(trainer, pl_module, folder)
            self._log_curves(trainer)

    on_test_end = on_validation_end

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for logger in wandb_loggers(trainer):
            paths = [callback.last_path for callback in callbacks_of(trainer, IterationCheckpoint)]
            if logger.log_checkpoint and paths and paths[0] is not None:
                with continuing_without_wandb():
                    log_checkpoint(logger, paths[0], trainer.global_step)

    def _log_results(self, trainer: Trainer, model: SlimGAN, folder: Path) -> None:
        from slimgan_pl.runs.wandb_charts import best_metrics, trade_off, widths_table  # which load wandb

        results = EvaluationResults.from_json(model.results)
        if self._evaluated_at == results.iteration:
            return
        self._evaluated_at = results.iteration
        if self._latencies is None:
            nets = [narrow_net(model.generator, width) for width in model.generator.widths]
            measured = measure_latencies(nets, batch_sizes=[1], rounds=LATENCY_ROUNDS)
            shown = (row.width for row in results.rows if row.width is not None)
            self._latencies = {width: row[0].median_s for width, row in zip(shown, measured, strict=True)}
        table = widths_table(results, self._latencies)
        charts = {f"evaluation/{name}": value for name, value in {"widths": table, **trade_off(table, results)}.items()}
        best = best_metrics([*evaluations_before(folder, results), results])
        for logger in wandb_loggers(trainer):
            logger.log_metrics(charts, results.iteration)
            logger.experiment.summary.update(best)

    def _log_curves(self, trainer: Trainer) -> None:
        """Log the charts of the CSV log, if it has new rows."""
        for table in (logger for logger in trainer.loggers if isinstance(logger, RunCSVLogger)):
            if wandb_loggers(trainer) and table.num_rows != self._rows:
                from slimgan_pl.runs.wandb_charts import curve_charts  # which loads wandb

                self._rows = table.num_rows
                with continuing_without_wandb():
                    charts = curve_charts(read_metrics(table.experiment.path), (*QUANTITIES, *COLUMN_KEYS))
                    for logger in wandb_loggers(trainer):
                        logger.log_metrics(charts, trainer.global_step)


def layout() -> dict[str, dict[str, list[Any]]]:
    """Return TensorBoard's Custom Scalars: charts of tags by regular expressions."""
    metrics = {metric: ["Multiline", [rf"^{metric}(_(?!std).*)?/"]] for metric in COLUMN_KEYS}
    return {"Training": {name: ["Multiline", [f"^{name}/"]] for name in QUANTITIES}, "Evaluation": metrics}


def wandb_loggers(trainer: Trainer) -> list[RunWandbLogger]:
    """Return the loggers for Weights & Biases, on the process that logs."""
    return [logger for logger in trainer.loggers if isinstance(logger, RunWandbLogger) and trainer.is_global_zero]


def log_checkpoint(logger: RunWandbLogger, path: Path, iteration: int) -> None:
    """Log a checkpoint as an artifact of the run."""
    import wandb

    run = logger.experiment
    artifact = wandb.Artifact(f"checkpoint-{run.id}", type="model", metadata={ITERATION: iteration})
    artifact.add_file(str(path))
    run.log_artifact(artifact, aliases=["latest", f"iteration_{iteration}"])
