"""What an export does to the Fréchet distance between a generator's images and real ones."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from slimgan_pl.data import ByteArray
from slimgan_pl.evaluation import Evaluator, GeneratorSource, key_of
from slimgan_pl.exporting.image_errors import Draw, check_images
from slimgan_pl.exporting.real_images import carried_data, carried_evaluator, naming_own_options
from slimgan_pl.exporting.source import Source
from slimgan_pl.images import to_bytes
from slimgan_pl.layers import width_index
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.modes import evaluating

__all__ = ["Distance", "Distances", "ExportSource", "Judge", "prepare_distances"]

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
        labels = self.labels[numbers] if net.num_classes else None
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
            UserError: If what a file draws is not finite, or of another shape.
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
        UserError: If the extractor is not known or its weights are missing, the data set is missing or does not suit
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
