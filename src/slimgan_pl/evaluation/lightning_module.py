"""Lightning modules whose images an evaluator judges."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule

from slimgan_pl.data import ByteArray, list_images
from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import Evaluator, FakeSource, FolderSource

__all__ = ["ImageJudge", "JudgedModule"]


class JudgedModule(LightningModule):
    """Base of the modules that validation and test judge. A batch is a whole split of real images, as a ``ByteArray``.

    The evaluator shares the images out among processes itself, and draws the fakes. ``results`` is what it said last;
    ``before_judging`` is called first.
    """

    evaluator: Evaluator | None = None
    before_judging: Callable[[], None] | None = None
    results: dict[str, Any] | None = None
    _real: ByteArray | None = None

    @abstractmethod
    def fakes(self) -> FakeSource:
        """Return what is judged."""

    def validation_step(self, batch: ByteArray, batch_idx: int) -> None:
        if self.evaluator is not None and not isinstance(batch, ByteArray):
            raise SlimGANError(
                "the evaluator takes the real images as a ByteArray, as the data modules of slimgan_pl.data give them; "
                "use one of those, or a model without evaluator"
            )
        self._real = batch
        if self.before_judging is not None:
            self.before_judging()

    def on_validation_epoch_end(self) -> None:
        if self.evaluator is None or self._real is None or self.trainer.sanity_checking:
            return
        self.results = {**self.about(), **self.evaluator.evaluate(self.fakes(), self._real)}
        self._real = None
        self.log_results(self.results)

    def about(self) -> dict[str, Any]:
        """Return what results begin with, as plain values."""
        return {"iteration": None, "individual": None}

    def log_results(self, results: dict[str, Any]) -> None:
        """Give the figures to the loggers."""

    test_step = validation_step
    on_test_epoch_end = on_validation_epoch_end


class ImageJudge(JudgedModule):
    """Judges a folder of anybody's images by the protocol that a generator is judged by.

    Args:
        images: The folder; hidden files are left out, links followed.
        evaluator: How they are judged.

    Raises:
        SlimGANError: If there is no such folder, or no image in it.
    """

    def __init__(self, images: str, evaluator: Evaluator) -> None:
        super().__init__()
        self.root = Path(images).expanduser()
        if not self.root.is_dir():
            raise SlimGANError(f"there is no folder {images}; name the folder of images to judge with --images")
        self.paths = list_images(self.root)
        self.evaluator = evaluator

    def fakes(self) -> FolderSource:
        data = getattr(self.trainer, "datamodule", None)
        assert data is not None
        shape = (data.image_channels, data.image_size, data.image_size)
        return FolderSource(self.root, self.paths, shape, self.device)
