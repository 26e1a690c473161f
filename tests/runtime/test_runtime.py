"""The runtime generates what PyTorch generates, at the width that is asked for or that fits."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from exports import TOLERANCE, generate_reference, one_file, one_width, write_one_file
from seasoned import seasoned

import slimgan_pl.export
import slimgan_pl.utils.images
from slimgan_pl.export.onnx_graphs import single_width_graph
from slimgan_pl.models import Classes
from slimgan_runtime import Runtime, SlimGANError, to_bytes
from slimgan_runtime.exported import ExportedGenerator

WIDTHS = (0.25, 0.5, 1.0)  # of the net dcgan


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_one_file("dcgan", tmp_path)


@pytest.mark.parametrize("name", ["dcgan", "sliceable resnet", "r3", "stylegan2"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_every_width_of_one_file_generates_what_the_generator_does(name: str, what: str, tmp_path: Path) -> None:
    path = write_one_file(name, tmp_path)
    generator = seasoned(name)
    runtime = Runtime(path if what == "file" else tmp_path, threads=1)
    assert runtime.widths == generator.widths
    for width in generator.widths:
        latents, labels, expected = generate_reference(generator, 5, width)
        images = runtime.generate(latents, labels, width)
        assert images.dtype == np.float32
        np.testing.assert_allclose(images, expected, rtol=0, atol=TOLERANCE)


def test_files_of_one_width_make_one_runtime_with_all_of_them(tmp_path: Path) -> None:
    for width in (1.0, 0.25):
        (tmp_path / f"generator_{width:g}.onnx").write_bytes(one_width("dcgan", width))
    runtime = Runtime(tmp_path)
    assert runtime.widths == (0.25, 1.0)
    for width in runtime.widths:
        latents, labels, expected = generate_reference(seasoned("dcgan"), 3, width)
        np.testing.assert_allclose(runtime.generate(latents, labels, width), expected, rtol=0, atol=TOLERANCE)
    (tmp_path / "generator.onnx").write_bytes(write_one_file("dcgan", tmp_path).read_bytes())
    assert Runtime(tmp_path).widths == WIDTHS


def test_it_describes_its_inputs_and_images(file: Path, tmp_path: Path) -> None:
    runtime = Runtime(str(file))
    assert (runtime.latent_dim, runtime.num_classes, runtime.image_shape) == (12, 0, (1, 16, 16))
    assert runtime.generate(runtime.latents(2)).shape == (2, *runtime.image_shape)
    runtime = Runtime(write_one_file("sliceable resnet", tmp_path))
    assert (runtime.latent_dim, runtime.num_classes, runtime.image_shape) == (12, 5, (3, 8, 8))


def test_labels_are_given_by_name_too(tmp_path: Path) -> None:
    generator = seasoned("sliceable resnet")
    generator.classes = Classes(("cat", "dog", "größe", "猫", "cat"), (9, 1, 0, 4, 4))
    model = single_width_graph(generator, 0.5)
    (tmp_path / "generator_0.5.onnx").write_bytes(model.SerializeToString())
    runtime = Runtime(tmp_path)
    assert runtime.classes == generator.classes.names
    latents = runtime.latents(3)
    by_name, by_number = runtime.generate(latents, ["猫", "dog", "cat"]), runtime.generate(latents, [3, 1, 0])
    assert np.array_equal(by_name, by_number)
    with pytest.raises(SlimGANError, match="a class 'dig' that is not there; did you mean dog"):
        runtime.generate(latents, ["dog", "dig", "dog"])


def test_classes_of_an_earlier_export_have_numbers_for_names(tmp_path: Path) -> None:
    model = onnx.load_from_string(one_file("sliceable resnet"))
    (entry,) = model.metadata_props
    entry.value = json.dumps({key: value for key, value in json.loads(entry.value).items() if key != "classes"})
    (tmp_path / "generator.onnx").write_bytes(model.SerializeToString())
    assert Runtime(tmp_path).classes == ("0", "1", "2", "3", "4")


def test_without_a_budget_the_widest_runs_and_nothing_is_measured(file: Path) -> None:
    runtime = Runtime(file)
    latents, _, expected = generate_reference(seasoned("dcgan"), 2, 1.0)
    np.testing.assert_allclose(runtime.generate(latents), expected, rtol=0, atol=TOLERANCE)
    assert runtime.width == 1.0
    assert runtime.latencies_ms == {}


@pytest.mark.parametrize("kind", [np.float16, np.float64, list])
def test_other_floats_are_taken_for_float32(file: Path, kind: Any) -> None:
    runtime = Runtime(file)
    latents = runtime.latents(2, seed=0)
    given = latents.tolist() if kind is list else latents.astype(kind)
    images = runtime.generate(given)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, runtime.generate(np.asarray(given, np.float32)))


def test_latents_that_do_not_lie_in_a_row_are_read_in_their_order(file: Path) -> None:
    runtime = Runtime(file)
    latents = runtime.latents(6, seed=0)
    np.testing.assert_array_equal(
        runtime.generate(latents[::-2]), runtime.generate(np.ascontiguousarray(latents[::-2]))
    )


def test_a_width_may_be_given_as_it_is_printed(tmp_path: Path) -> None:
    (tmp_path / "generator.onnx").write_bytes(one_width("dcgan", 0.25))
    assert Runtime(tmp_path).generate(np.zeros((1, 12)), width=0.2500001).shape == (1, 1, 16, 16)


def test_latents_are_standard_normal_and_a_seed_repeats_them(file: Path) -> None:
    runtime = Runtime(file)
    latents = runtime.latents(2000, seed=3)
    assert latents.dtype == np.float32
    assert abs(latents.mean()) < 0.05
    assert abs(latents.std() - 1) < 0.05
    np.testing.assert_array_equal(latents, runtime.latents(2000, seed=3))
    assert not np.array_equal(runtime.latents(4), runtime.latents(4))


@pytest.mark.parametrize("channels", [1, 3])
def test_bytes_are_those_of_the_package(channels: int) -> None:
    images = torch.linspace(-1.1, 1.1, 2 * channels * 64).view(2, channels, 8, 8)
    expected = slimgan_pl.utils.images.to_bytes(images).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(to_bytes(images.numpy()), expected[..., 0] if channels == 1 else expected)


@pytest.fixture
def with_times(file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Runtime]:
    """Return a function that makes a runtime with a budget of 10 ms whose clock gives calls these milliseconds."""

    def make(*calls: float) -> Runtime:
        latencies = {0.25: 2.0, 0.5: 5.0, 1.0: 9.0}
        monkeypatch.setattr("slimgan_runtime.runtime.LatencyCache.load", lambda cache: latencies)
        runtime = Runtime(file, budget_ms=10)
        ticks = accumulate(step / 1e3 for call in cycle(calls) for step in (0.0, call))
        monkeypatch.setattr("slimgan_runtime.runtime.time", SimpleNamespace(perf_counter=lambda: next(ticks)))
        return runtime

    return make


def test_the_budget_chooses_the_width_and_missing_it_goes_down(with_times: Callable[..., Runtime]) -> None:
    runtime = with_times(18.0)
    assert runtime.width == 1.0
    assert runtime.latencies_ms == {0.25: 2.0, 0.5: 5.0, 1.0: 9.0}
    for _ in range(4):
        runtime.generate(runtime.latents(1))
    assert runtime.width == 0.5
    latents, _, expected = generate_reference(seasoned("dcgan"), 1, 0.5)
    np.testing.assert_allclose(runtime.generate(latents), expected, rtol=0, atol=TOLERANCE)


def test_calls_that_name_a_width_say_nothing_of_the_budget(with_times: Callable[..., Runtime]) -> None:
    runtime = with_times(99.0)
    for _ in range(10):
        runtime.generate(runtime.latents(1), width=1.0)
    assert runtime.width == 1.0


def test_a_generous_budget_has_the_widest_and_an_impossible_one_the_narrowest(file: Path) -> None:
    assert Runtime(file, budget_ms=1e9).width == 1.0
    assert Runtime(file, budget_ms=1e-9).width == 0.25


def test_threads_generate_what_one_generates(file: Path) -> None:
    runtime = Runtime(file, budget_ms=5.0, threads=1)
    generator = seasoned("dcgan")
    expected = {width: generate_reference(generator, 3, width) for width in WIDTHS}

    def generate_error(call: int) -> float:
        width = WIDTHS[call % 3]
        latents, _, images = expected[width]
        runtime.generate(latents)  # moves the width
        return float(np.abs(runtime.generate(latents, width=width) - images).max())

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(generate_error, range(120))) < TOLERANCE


def test_calls_of_several_threads_run_side_by_side(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime(file, budget_ms=5.0)
    both, run = threading.Barrier(2), ExportedGenerator.run

    def meet(*args: Any) -> np.ndarray:
        both.wait(timeout=20)  # fails unless two calls are in here at once
        return run(*args)

    monkeypatch.setattr(ExportedGenerator, "run", meet)
    with ThreadPoolExecutor(2) as pool:
        shapes = [images.shape for images in pool.map(runtime.generate, [runtime.latents(1)] * 2)]
    assert shapes == [(1, 1, 16, 16)] * 2
