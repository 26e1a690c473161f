"""What an export does to the Fréchet distance between a generator's images and real ones."""

from argparse import ArgumentError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from lightning.pytorch.cli import instantiate_module
from torch import Tensor

from slimgan_pl.data import ByteArray, ByteDataModule
from slimgan_pl.errors import SlimGANError, cause_of
from slimgan_pl.evaluation import Evaluator, GeneratorSource, key_of
from slimgan_pl.export.parity import check_images
from slimgan_pl.export.writers import Draw
from slimgan_pl.layers import width_index
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.runs.carried_settings import carried_settings
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.runs.trust import check_trusted
from slimgan_pl.training.compatibility import check_data
from slimgan_pl.utils.images import to_bytes
from slimgan_pl.utils.torch_state import evaluating

__all__ = [
    "Distance",
    "Distances",
    "ExportSource",
    "Judge",
    "carried_data",
    "carried_evaluator",
    "naming_own_options",
    "prepare_distances",
]

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

STAMPS = ("extractor", "device", "versions")

NUMBERS = ("data", "real_split", "num_real", "num_fake", "seeds", "choice_seed")  # of the protocol, for this distance


class Distance(NamedTuple):
    """A Fréchet distance, and that less the one of PyTorch's images from the same latents."""

    distance: float
    change: float


class Distances(NamedTuple):
    """Distances of exported files, each by its name and width.

    ``stamp`` holds plain values: what the figures depend on, and as ``pytorch`` a row per width with PyTorch's own
    distance.
    """

    found: dict[tuple[str, float], Distance]
    stamp: dict[str, Any]


class ExportSource(GeneratorSource):
    """What a generator draws in PyTorch at each width, then what exported files draw from the same latents.

    Args:
        generator: The generator in float32, on the CPU.
        draws: What is exported, by the name of the file and the width.
    """

    def __init__(self, generator: SlimmableGenerator, draws: Mapping[tuple[str, float], Draw]) -> None:
        super().__init__(generator)
        self.draws = draws
        self.used = sorted({width_index(generator.widths, width) for _, width in draws})

    @property
    def heads(self) -> list[dict[str, Any]]:  # type: ignore[override]
        own = [{"file": None, "width": self.generator.widths[index]} for index in self.used]
        return own + [{"file": name, "width": width} for name, width in self.draws]

    def draw(self, numbers: Tensor) -> list[Tensor]:
        net = self.generator
        latents = self.latents[numbers]
        labels = None if self.labels is None else self.labels[numbers]
        with evaluating(net):
            own = {index: net(latents, labels, width=net.widths[index]) for index in self.used}
        images = list(own.values())
        for (_, width), draw in self.draws.items():
            drawn = draw(latents, labels, width)
            check_images(drawn, own[width_index(net.widths, width)], width)
            images.append(drawn)
        return [to_bytes(each) for each in images]


class Judge(NamedTuple):
    """What judges exported files beside PyTorch, with all that it needs at hand."""

    generator: SlimmableGenerator
    evaluator: Evaluator
    real: ByteArray

    def changes(self, draws: Mapping[tuple[str, float], Draw]) -> Distances:
        """Judge exported files.

        Args:
            draws: What is exported, by the name of the file and the width.

        Raises:
            SlimGANError: If what a file draws is not finite, or of another shape.
        """
        with naming_own_options():
            results = self.evaluator.judge(ExportSource(self.generator, draws), self.real)
        key = key_of("fid", results)
        own = [{"width": row["width"], "distance": row[key]} for row in results["widths"] if row["file"] is None]
        stamp = {
            "protocol": {name: results["protocol"][name] for name in NUMBERS},
            **{name: results[name] for name in STAMPS},
            "pytorch": own,
        }
        return Distances(dict(changes(results["widths"], key, self.generator.widths)), stamp)


def prepare_distances(
    source: Source,
    extractor: str,
    weights_path: str | None = None,
    num_fake: int | None = None,
    data_root: str | None = None,
    trust: bool = False,
) -> Judge:
    """Return what judges exported files against the real images that ``slimgan test`` judges the checkpoint by.

    Numbers of images and the seed of the latents are those of the checkpoint's evaluator, so that PyTorch's distances
    are the ones that ``slimgan test`` finds with this extractor.

    Args:
        source: The checkpoint.
        extractor: Name of the extractor, such as inception or digits.
        weights_path: File of its weights.
        num_fake: Images of each file and width, in place of the checkpoint's number.
        data_root: Folder of the data set, in place of the one in training.
        trust: Whether the checkpoint may name data of other packages, whose code is then run.

    Raises:
        SlimGANError: If the extractor is not known or its weights are missing, the data set is missing or does not suit
            the generator, or there are too few images.
    """
    generator = source.model.generator
    with naming_own_options():
        evaluator = carried_evaluator(source, extractor, weights_path, num_fake)
        data = carried_data(source, data_root, trust)
        drawn = GeneratorSource(generator)
        evaluator.start(drawn.device, drawn.shape)
        data.prepare_data()
        data.setup("test")
        real = data.arrays[evaluator.protocol.real_split]
        evaluator.check(len(real.images))
    return Judge(generator, evaluator, real)


def changes(
    rows: list[dict[str, Any]], key: str, widths: tuple[float, ...]
) -> Iterator[tuple[tuple[str, float], Distance]]:
    """Yield the distance of each file and width, and what it is more than PyTorch's at that width."""
    own = {width_index(widths, row["width"]): row[key] for row in rows if row["file"] is None}
    for row in rows:
        if row["file"] is not None:
            yield (row["file"], row["width"]), Distance(row[key], row[key] - own[width_index(widths, row["width"])])


@contextmanager
def naming_own_options() -> Iterator[None]:
    """Turn the options of ``slimgan test`` in a SlimGANError into those of ``slimgan export``."""
    try:
        yield
    except SlimGANError as error:
        text = str(error)
        for words, own in OWN_WORDS.items():
            text = text.replace(words, own)
        raise SlimGANError(text) from error


def carried_data(source: Source, root: str | None = None, trust: bool = False) -> ByteDataModule:
    """Return the data that a checkpoint names, with nothing opened yet.

    Args:
        source: The checkpoint, whose generator has to draw images of their shape.
        root: The folder of the data set, in place of the one in training.
        trust: Whether the checkpoint may name classes of other packages, whose code is then run.

    Raises:
        SlimGANError: If it names none, or they cannot be built.
    """
    settings = dict(source.checkpoint.get("datamodule_hyper_parameters") or {})
    if "_class_path" not in settings:
        raise SlimGANError(f"{source.path} does not say which data it belongs to, so leave --extractor out")
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
