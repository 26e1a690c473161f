"""``slimgan test --images``: the evaluation of a folder of images."""

import inspect
from typing import Any

from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from slimgan_pl.cli.evaluation_options import IMAGES_HELP
from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.cli.lightning_parser import accept_and_ignore
from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.runs.carried_settings import MODEL_DEFAULTS
from slimgan_pl.training.evaluate import ImageEvaluation
from slimgan_pl.training.slimgan import SlimGAN

__all__ = ["ImageFolderCLI"]


class FolderEvaluation(ImageEvaluation):
    """Evaluation of a folder of images, from settings.

    Args:
        images: The folder.
        evaluator: The evaluator; needed.
        unused: Settings of nets.
    """

    def __init__(self, images: str, evaluator: Evaluator | None = None, **unused: Any) -> None:
        if not images:
            raise SlimGANError("--images is empty; name the folder of images to evaluate")
        if evaluator is None:
            raise SlimGANError("there is no evaluator for the images; leave --model.evaluator null out")
        super().__init__(images, evaluator)


class ImageFolderCLI(SlimGANCLI):
    """Command that evaluates a folder of images; nets' settings are not used."""

    module_class = FolderEvaluation
    has_net = False

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        return {"test": LightningCLI.subcommands()["test"]}

    def add_model_arguments(self, parser: LightningArgumentParser) -> None:
        parser.set_defaults({"model.evaluator": MODEL_DEFAULTS["model.evaluator"]})
        unused = inspect.signature(SlimGAN).parameters.keys() - {"evaluator"}
        accept_and_ignore(parser, *(f"model.{name}" for name in sorted(unused)))
        parser.add_argument("--images", type=str, help=IMAGES_HELP)
        parser.link_arguments("images", "model.images")

    def check_settings(self) -> None:
        """Leave all checks to the evaluator, which knows the images."""
