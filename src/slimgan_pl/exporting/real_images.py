"""The data that a checkpoint was trained on, as ``slimgan test`` finds them, and its evaluator's settings."""

from argparse import ArgumentError
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.cli import instantiate_module

from slimgan_pl.checks import check_data
from slimgan_pl.data import ByteDataModule
from slimgan_pl.errors import UserError, cause_of
from slimgan_pl.evaluation import Evaluator
from slimgan_pl.exporting.source import Source
from slimgan_pl.settings import carried_settings
from slimgan_pl.trust import check_trusted

__all__ = ["carried_data", "carried_evaluator", "naming_own_options"]

NUMBERS = ("protocol", "real_split", "num_real", "num_fake", "batch_size", "seed")  # of the checkpoint's own judging

OWN_WORDS = {  # what others advise, in the options of this command
    "let --data.download true fetch it": "name the folder that holds it with --data_root",
    "lower --model.evaluator.num_real or choose another --model.evaluator.protocol": "name others with --data_root",
    "judge nothing with --model.evaluator null": "leave --extractor out",
    ", or the class_path of a module": "",
    ", or set --data.verify false if you made it yourself": "",
    ", or name another folder with --data.cache_dir": "",
    "--data.root": "--data_root",
    "--model.evaluator.": "--",
}


@contextmanager
def naming_own_options() -> Iterator[None]:
    """Turn the options of ``slimgan test`` in a UserError into those of ``slimgan export``."""
    try:
        yield
    except UserError as error:
        text = str(error)
        for words, own in OWN_WORDS.items():
            text = text.replace(words, own)
        raise UserError(text) from error


def carried_data(source: Source, root: str | None = None, trust: bool = False) -> ByteDataModule:
    """Return the data that a checkpoint names, with nothing opened yet.

    Args:
        source: The checkpoint, whose generator has to draw images of their shape.
        root: The folder of the data set, in place of the one in training.
        trust: Whether the checkpoint may name classes of other packages, whose code is then run.

    Raises:
        UserError: If it names none, or they cannot be built.
    """
    settings = dict(source.checkpoint.get("datamodule_hyper_parameters") or {})
    if "_class_path" not in settings:
        raise UserError(f"{source.path} does not say which data it belongs to, so leave --extractor out")
    if not trust:
        check_trusted(settings, source.path)
    if root is not None:
        if "root" not in settings:
            name = str(settings["_class_path"]).rpartition(".")[2]
            raise UserError(f"a {name} is read from no folder; leave --data_root out")
        settings["root"] = root
    try:
        data: ByteDataModule = instantiate_module(ByteDataModule, settings)  # type: ignore[type-abstract]
    except (ArgumentError, ImportError, AttributeError, TypeError, ValueError) as error:
        if (cause := cause_of(error, UserError)) is not None:
            raise cause from error
        reason = " ".join(str(error).split())[:150]
        raise UserError(
            f"the data settings in {source.path} build no data ({reason}); leave --extractor out"
        ) from error
    check_data(source.model.generator, data)
    return data


def carried_evaluator(
    source: Source, extractor: str, weights_path: str | None = None, num_fake: int | None = None
) -> Evaluator:
    """Return an evaluator of Fréchet distances alone, with the numbers of images that the checkpoint was judged by.

    Args:
        source: The checkpoint.
        extractor: The extractor's name.
        weights_path: File of its weights.
        num_fake: Images of each set, in place of the checkpoint's own number.
    """
    carried = carried_settings(source.checkpoint, str(source.path)).get("model.evaluator") or {}
    settings = {name: value for name, value in carried.get("init_args", {}).items() if name in NUMBERS}
    if num_fake is not None:
        settings["num_fake"] = num_fake
    return Evaluator(extractor=extractor, weights_path=weights_path, metrics=("fid",), **settings)
