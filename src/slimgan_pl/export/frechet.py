"""Change of the Fréchet distance to real images by an export."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from torch import Tensor

from slimgan_pl.data import ByteArray
from slimgan_pl.evaluation import Evaluator, GeneratorSource
from slimgan_pl.evaluation.results_json import metric_key
from slimgan_pl.export.exported_file import ExportedFile
from slimgan_pl.export.formats.base import Sampler
from slimgan_pl.export.parity import check_images
from slimgan_pl.export.real_images import build_data, build_evaluator, in_own_options
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.runs.checkpoints import Source
from slimgan_pl.utils.images import to_bytes
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["Distance", "Distances", "ExportSource", "FrechetComparison", "prepare_comparison"]

Samplers = Mapping[tuple[str, float], Sampler]  # by name of the file and width

PROVENANCE = ("extractor", "device", "versions")
PROTOCOL = ("data", "real_split", "num_real", "num_fake", "seeds", "choice_seed")  # numbers that this distance needs


class Distance(NamedTuple):
    """Fréchet distance, and its change from PyTorch's for the same latents."""

    distance: float
    change: float


class Distances(NamedTuple):
    """Distances of exported files by name and width, and their provenance.

    ``provenance`` holds as ``pytorch`` a row per width with PyTorch's own distance.
    """

    found: dict[tuple[str, float], Distance]
    provenance: dict[str, Any]

    def add_to(self, files: Sequence[ExportedFile]) -> list[ExportedFile]:
        """Return files with their distances."""
        added = []
        for file in files:
            pairs = [(error, self.found[file.name, error.width]) for error in file.errors]
            errors = [replace(error, distance=new.distance, distance_change=new.change) for error, new in pairs]
            added.append(replace(file, errors=tuple(errors)))
        return added


class ExportSource(GeneratorSource):
    """Images of PyTorch's generator, then of exported files from the same latents."""

    def __init__(self, generator: SlimmableGenerator, samplers: Samplers) -> None:
        super().__init__(generator)
        self.samplers = samplers
        self.widths = sorted({width for _, width in samplers})

    @property
    def heads(self) -> list[dict[str, Any]]:  # type: ignore[override]
        own = [{"file": None, "width": width} for width in self.widths]
        return own + [{"file": name, "width": width} for name, width in self.samplers]

    def draw(self, numbers: Tensor) -> list[Tensor]:
        latents, labels = self.latents[numbers], None if self.labels is None else self.labels[numbers]
        with evaluating(self.generator):
            own = {width: self.generator(latents, labels, width=width) for width in self.widths}
        images = list(own.values())
        for (_, width), sampler in self.samplers.items():
            images.append(sampler(latents, labels, width))
            check_images(images[-1], own[width], width)
        return [to_bytes(each) for each in images]


class FrechetComparison(NamedTuple):
    """Everything that comparing exported files with PyTorch by Fréchet distance needs."""

    generator: SlimmableGenerator
    evaluator: Evaluator
    real: ByteArray

    def compare(self, samplers: Samplers) -> Distances:
        """Evaluate exported files beside PyTorch.

        Raises:
            SlimGANError: If a file's images are not finite, or of another shape.
        """
        with in_own_options():
            results = self.evaluator.evaluate(ExportSource(self.generator, samplers), self.real)
        key = metric_key("fid", results)
        by_head = {(row["file"], row["width"]): row[key] for row in results["widths"]}
        own = {width: distance for (file, width), distance in by_head.items() if file is None}
        found = {
            (file, width): Distance(distance, distance - own[width])
            for (file, width), distance in by_head.items()
            if file is not None
        }
        provenance = {
            "protocol": {name: results["protocol"][name] for name in PROTOCOL},
            **{name: results[name] for name in PROVENANCE},
            "pytorch": [{"width": width, "distance": distance} for width, distance in own.items()],
        }
        return Distances(found, provenance)


def prepare_comparison(
    source: Source,
    extractor: str,
    weights_path: str | None = None,
    num_fake: int | None = None,
    data_root: str | None = None,
    trust: bool = False,
) -> FrechetComparison:
    """Prepare a comparison with the real images of ``slimgan test``.

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
        SlimGANError: If the extractor is unknown or its weights are missing, the data set is missing or does not suit
            the generator, or there are too few images.
    """
    generator = source.model.inference_generator
    with in_own_options():
        evaluator = build_evaluator(source, extractor, weights_path, num_fake)
        data = build_data(source, data_root, trust)
        images = GeneratorSource(generator)
        evaluator.start(images.device, images.shape)
        data.prepare_data()
        data.setup("test")
        real = data.arrays[evaluator.protocol.real_split]
        evaluator.check(len(real.images))
    return FrechetComparison(generator, evaluator, real)
