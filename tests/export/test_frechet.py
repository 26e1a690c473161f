"""What an export does to the Fréchet distance is measured as ``slimgan test`` measures it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from slimgan_pl.data import CIFAR10DataModule
from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.formats.base import Sampler
from slimgan_pl.export.frechet import Distances, prepare_comparison
from slimgan_pl.export.onnx_graphs import multi_width_graph
from slimgan_pl.export.ort import open_session, session_sampler
from slimgan_pl.export.real_images import in_own_options
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.runs.checkpoints import Source, read_source

FOLDER = {
    "_class_path": "slimgan_pl.data.ImageFolderDataModule",
    "root": "missing",
    "image_size": 16,
    "image_channels": 1,
}


@pytest.fixture(scope="module")
def source(digits_checkpoint: Path) -> Source:
    return read_source(digits_checkpoint)


@pytest.fixture(scope="module")
def generator(source: Source) -> SlimmableGenerator:
    return source.model.generator


def sampler_of(generator: SlimmableGenerator, change: Callable[[Tensor], Tensor]) -> Sampler:
    return lambda latents, labels, width: change(generator(latents, labels, width=width))


@pytest.fixture(scope="module")
def found(source: Source, generator: SlimmableGenerator) -> Distances:
    """Return the distances of an ONNX file and of noisy images."""
    exact = session_sampler(open_session(multi_width_graph(generator).SerializeToString()), generator.widths)
    random = torch.Generator().manual_seed(0)
    noisy = sampler_of(generator, lambda images: images + 0.3 * torch.randn(images.shape, generator=random))
    samplers = {("generator.onnx", width): exact for width in generator.widths}
    return prepare_comparison(source, "digits").compare({**samplers, ("noisy.onnx", 0.5): noisy})


def test_pytorchs_distances_are_those_of_the_run(found: Distances, digits_checkpoint: Path) -> None:
    evaluated = json.loads((digits_checkpoint.parent.parent / "results.json").read_text())
    expected = {row["width"]: row["fid_digits"] for row in evaluated["widths"]}
    own = {row["width"]: row["distance"] for row in found.provenance["pytorch"]}
    assert own == pytest.approx(expected, rel=1e-6)
    assert found.provenance["protocol"]["num_fake"] == evaluated["protocol"]["num_fake"] == 60
    assert found.provenance["extractor"] == evaluated["extractor"]


def test_a_float32_file_leaves_the_distance_and_noise_changes_it(
    found: Distances, generator: SlimmableGenerator
) -> None:
    for width in generator.widths:
        distance, change = found.found["generator.onnx", width]
        assert abs(change) < 1e-2 * distance
    distance, change = found.found["noisy.onnx", 0.5]
    assert abs(change) > 1e-2 * distance
    assert len(found.found) == len(generator.widths) + 1


def test_a_change_is_from_pytorchs_at_the_same_width(found: Distances) -> None:
    own = {row["width"]: row["distance"] for row in found.provenance["pytorch"]}
    for (_, width), (distance, change) in found.found.items():
        assert distance - change == pytest.approx(own[width])


def test_a_number_that_is_given_takes_the_place_of_the_checkpoints(
    source: Source, generator: SlimmableGenerator
) -> None:
    samplers = {("same.onnx", 1.0): sampler_of(generator, lambda images: images)}
    fewer = prepare_comparison(source, "digits", num_fake=40).compare(samplers)
    assert fewer.provenance["protocol"]["num_fake"] == 40
    assert fewer.found["same.onnx", 1.0].change == 0
    assert [row["width"] for row in fewer.provenance["pytorch"]] == [1.0]


def with_data(source: Source, data: dict[str, Any]) -> Source:
    return source._replace(checkpoint={**source.checkpoint, "datamodule_hyper_parameters": data})


def test_another_folder_takes_the_place_of_that_in_training(
    source: Source, generator: SlimmableGenerator, image_folder: Path, tmp_path: Path
) -> None:
    samplers = {("same.onnx", 1.0): sampler_of(generator, lambda images: images)}
    other = with_data(source, {**FOLDER, "cache_dir": str(tmp_path)})
    moved = prepare_comparison(other, "digits", data_root=str(image_folder)).compare(samplers)
    assert moved.provenance["protocol"]["num_real"] == 8
    assert moved.provenance["protocol"]["data"].startswith("folder-test-")


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (None, {"extractor": "x"}, "there is no extractor 'x'; give inception, digits,"),
        (None, {"extractor": "clip-vit-b-32", "weights_path": "no.pt"}, "there is no file no.pt; name a file"),
        (None, {"weights_path": "x.pt"}, "leave --weights_path out"),
        (None, {"num_fake": 1}, "num_fake is 1; it has to be at least 2"),
        (None, {"num_fake": 0}, "num_fake is 0; it has to be at least 2"),
        (None, {"data_root": "data"}, "a DigitsDataModule is read from no folder; leave --data_root out"),
        ({}, {}, "does not say which data it belongs to; leave --extractor out"),
        (FOLDER, {}, "there is no folder missing; name the folder of images with --data_root"),
        ({**FOLDER, "nonsense": 3}, {}, "build no data"),
        ({**FOLDER, "image_size": 8}, {}, "the data has image_size 8 but the generator has 16"),
        ({"_class_path": "os.path.Data"}, {}, "names the class os.path.Data, which is not of this package"),
    ],
)
def test_what_is_missing_is_said_before_the_work_in_the_options_of_the_export(
    data: dict[str, Any] | None, options: dict[str, Any], words: str, source: Source
) -> None:
    chosen = source if data is None else with_data(source, data)
    with pytest.raises(SlimGANError) as error:
        prepare_comparison(chosen, **{"extractor": "digits", **options})
    assert words in str(error.value)
    assert "--model." not in str(error.value)
    assert "--data." not in str(error.value)


def test_too_few_real_images_are_said_before_the_work(source: Source, image_folder: Path, tmp_path: Path) -> None:
    settings = {**source.checkpoint["hyper_parameters"]}
    evaluator = settings["evaluator"]
    settings["evaluator"] = {**evaluator, "init_args": {**evaluator["init_args"], "num_real": 450}}
    few = with_data(source, {**FOLDER, "root": str(image_folder), "cache_dir": str(tmp_path)})
    few = few._replace(checkpoint={**few.checkpoint, "hyper_parameters": settings})
    with pytest.raises(
        SlimGANError, match=r"asks for 450 real images, .* holds 8; name a folder with more images in --data_root"
    ):
        prepare_comparison(few, "digits")


def test_images_that_are_not_finite_are_an_error(source: Source, generator: SlimmableGenerator) -> None:
    samplers = {("odd.onnx", 0.5): sampler_of(generator, lambda images: images / 0)}
    comparison = prepare_comparison(source, "digits", num_fake=40)
    with pytest.raises(SlimGANError, match=r"at width 0\.5 are not finite"):
        comparison.compare(samplers)


def test_a_published_data_set_that_is_missing_is_asked_for_by_its_folder(tmp_path: Path) -> None:
    with pytest.raises(SlimGANError) as error, in_own_options():
        CIFAR10DataModule(str(tmp_path)).source("test")
    assert str(error.value).endswith("or name the folder that holds it with --data_root")


def test_weights_that_cannot_be_had_leave_a_way_on(
    source: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    with pytest.raises(SlimGANError) as error:
        prepare_comparison(source, "inception")
    assert "name a file with --weights_path, choose another --extractor such as digits, or leave --extractor out" in (
        str(error.value)
    )
