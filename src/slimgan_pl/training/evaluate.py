"""Evaluation under Lightning: a callback, and the modules whose images it evaluates.

The callback lives beside the modules that ask for it in ``configure_callbacks``; ``slimgan_pl.callbacks`` exports it.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.data import ByteArray, ByteDataModule
from slimgan_pl.data.image_files import list_folder, warn_left_out
from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import EvaluationResults, Evaluator, FakeSource, FolderSource
from slimgan_pl.evaluation.monitored_metric import MonitoredMetric

__all__ = ["EvaluatedModule", "Evaluation", "ImageEvaluation"]


class EvaluatedModule(LightningModule):
    """Base of the modules that validation and test evaluate.

    A batch is a whole split of real images, as a ``ByteArray``; the evaluator shares it out among processes. The
    callback ``Evaluation`` is added to a trainer without one. ``results`` are those of the last evaluation.
    """

    evaluator: Evaluator | None = None
    results: dict[str, Any] | None = None

    @abstractmethod
    def fakes(self) -> FakeSource:
        """Return the images to evaluate."""

    def about(self) -> dict[str, Any]:
        """Return the first entries of the results, as plain values."""
        return {"iteration": None, "individual": None}

    def check_real(self, data: ByteDataModule) -> None:
        """Raise a SlimGANError where the evaluator needs more real images."""
        if self.evaluator is not None:
            self.evaluator.check(len(data.arrays[self.evaluator.protocol.real_split].images))

    def validation_step(self, batch: ByteArray, batch_idx: int) -> None:
        """Leave the batch to the callback."""

    test_step = validation_step

    def configure_callbacks(self) -> list[Callback]:
        callbacks: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        return [] if any(isinstance(each, Evaluation) for each in callbacks) else [Evaluation()]


class Evaluation(Callback):
    """Evaluates every width at validation and test.

    It does so at the end of the batch, between ``on_validation_start`` and ``on_validation_epoch_end`` of all
    callbacks, so it evaluates weights that another callback swaps in.
    """

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        if not isinstance(pl_module, EvaluatedModule) or pl_module.evaluator is None or trainer.sanity_checking:
            return
        if not isinstance(batch, ByteArray):
            raise SlimGANError(
                "the evaluator takes the real images as a ByteArray, as the data modules of slimgan_pl.data give them; "
                "use one of those, or a model without evaluator"
            )
        progress = getattr(trainer.progress_bar_callback, "track", None)
        results = pl_module.evaluator.evaluate(pl_module.fakes(), batch, progress)
        pl_module.results = {**pl_module.about(), **results}
        if pl_module.results["iteration"] is not None:
            log_results(pl_module, pl_module.results)

    on_test_batch_end = on_validation_batch_end  # type: ignore[assignment]


def log_results(model: EvaluatedModule, results: dict[str, Any]) -> None:
    """Log the metrics of each width, such as ``fid/0.5``, and between widths.

    Callbacks see the means over the widths too, with and without the extractor's name.
    """
    metrics = {"step": float(results["iteration"])}
    for row in results["widths"]:
        row["width"] = results["individual"] or row["width"]
        metrics |= {f"{key}/{row['width']:g}": row[key] for key in row.keys() - {"width", "parameters", "macs"}}
    found = EvaluationResults.from_json(results)
    if "mic" in found.between:
        metrics[found.key("mic")] = found.between["mic"]
    model.log_dict(metrics, batch_size=1, rank_zero_only=True)
    means = {column.key: MonitoredMetric(column).value(found) for column in found.columns} | dict(found.between)
    named = {name: value for key, value in means.items() for name in (key, found.key(key))}
    monitored = {name: value for name, value in named.items() if name not in metrics}  # by callbacks, in no chart
    model.log_dict(monitored, logger=False, batch_size=1, rank_zero_only=True)


class ImageEvaluation(EvaluatedModule):
    """Evaluates a folder of images by the protocol for generators.

    Args:
        images: The folder; hidden files are left out, links followed.
        evaluator: Evaluator of the images.

    Raises:
        SlimGANError: If there is no such folder, or no image in it.
    """

    def __init__(self, images: str, evaluator: Evaluator) -> None:
        super().__init__()
        self.root = Path(images).expanduser()
        if not self.root.is_dir():
            raise SlimGANError(f"there is no folder {images}; name a folder of images with --images")
        self.listing = list_folder(self.root)
        self.evaluator = evaluator

    def prepare_data(self) -> None:
        """Warn of files that are no images, once on each node."""
        warn_left_out(self.root, self.listing.others)

    def fakes(self) -> FolderSource:
        data = getattr(self.trainer, "datamodule", None)
        assert data is not None
        shape = (data.image_channels, data.image_size, data.image_size)
        value_range = getattr(data, "value_range", None)
        return FolderSource(self.root, self.listing.images, shape, self.device, value_range)
