"""Real images and evaluator for Fréchet distances of exported files."""

from argparse import ArgumentError
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.cli import instantiate_module

from slimgan_pl.data import ByteDataModule
from slimgan_pl.errors import SlimGANError, cause_of
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.runs.carried_settings import read_carried_settings
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.runs.trust import check_trusted
from slimgan_pl.training.compatibility import check_data

__all__ = ["build_data", "build_evaluator", "in_own_options"]

CARRIED = ("protocol", "real_split", "num_real", "num_fake", "batch_size", "seed")  # settings of the evaluator

OPTIONS = {  # options of slimgan export, by the settings that errors name
    "data.root": "--data_root",
    "model.evaluator.extractor": "--extractor",
    "model.evaluator.weights_path": "--weights_path",
    "model.evaluator.num_fake": "--num_fake",
    "model.evaluator": "leave --extractor out",
    "data.image_size": "leave --extractor out",
}


@contextmanager
def in_own_options() -> Iterator[None]:
    """Tell the fixes of a SlimGANError in the options of ``slimgan export``."""
    try:
        yield
    except SlimGANError as error:
        raise error.with_options(OPTIONS) from error


def build_data(source: Source, root: str | None = None, trust: bool = False) -> ByteDataModule:
    """Build the data that a checkpoint names, without opening it.

    ``root`` replaces the folder that it names. With ``trust`` it may name classes of other packages, whose code is then
    run.

    Raises:
        SlimGANError: If it names none, they cannot be built, or their images are of another shape than the generator's.
    """
    settings = dict(source.checkpoint.get("datamodule_hyper_parameters") or {})
    if "_class_path" not in settings:
        raise SlimGANError(f"{source.path} does not say which data it belongs to; leave --extractor out")
    if not trust:
        check_trusted(settings, source.path)
    if root is not None:
        if "root" not in settings:
            name = str(settings["_class_path"]).rpartition(".")[2]
            raise SlimGANError(f"a {name} is read from no folder; leave --data_root out")
        settings["root"] = root
    try:
        data: ByteDataModule = instantiate_module(ByteDataModule, settings)  # type: ignore[type-abstract]
    except (ArgumentError, ImportError, AttributeError, TypeError, ValueError) as error:
        if (cause := cause_of(error, SlimGANError)) is not None:
            raise cause from error
        reason = " ".join(str(error).split())[:150]
        raise SlimGANError(
            f"the data settings in {source.path} build no data ({reason}); leave --extractor out"
        ) from error
    check_data(source.model.inference_generator, data)
    return data


def build_evaluator(
    source: Source, extractor: str, weights_path: str | None = None, num_fake: int | None = None
) -> Evaluator:
    """Build an evaluator of Fréchet distances with the checkpoint's numbers of images.

    ``num_fake`` replaces its number of fakes.
    """
    carried = read_carried_settings(source.checkpoint, str(source.path)).get("model.evaluator") or {}
    settings = {name: value for name, value in carried.get("init_args", {}).items() if name in CARRIED}
    if num_fake is not None:
        settings["num_fake"] = num_fake
    return Evaluator(extractor=extractor, weights_path=weights_path, metrics=("fid",), **settings)
