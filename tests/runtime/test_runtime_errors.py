"""A mistake is told in one sentence that says what to do."""

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from exports import one_file, one_width, write_one_file

from slimgan_runtime import Runtime, SlimGANError, WidthController, to_bytes

GOOD = np.zeros((3, 12), np.float32)


@pytest.fixture
def plain(tmp_path: Path) -> Runtime:
    return Runtime(write_one_file("dcgan", tmp_path))


@pytest.fixture
def conditional(tmp_path: Path) -> Runtime:
    return Runtime(write_one_file("sliceable resnet", tmp_path))


def one_sentence(wrong: Callable[[], object]) -> str:
    """Return what the SlimGANError says that a call has to raise, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SlimGANError) as caught:
            wrong()
    text = str(caught.value)
    assert "\n" not in text
    assert not text.endswith(".")
    return text


LATENTS: dict[str, tuple[Any, str]] = {
    "of another length": (np.zeros((3, 11)), r"float64 of shape \(3, 11\); give floats of shape \(N, 12\)"),
    "without a batch": (np.zeros(12), r"of shape \(12,\); give floats"),
    "with too many dimensions": (np.zeros((1, 3, 12)), r"of shape \(1, 3, 12\)"),
    "a number": (1.0, r"of shape \(\)"),
    "whole numbers": (np.zeros((3, 12), int), "latents are int64"),
    "complex": (np.zeros((3, 12), complex), "latents are complex128"),
    "truths": (np.zeros((3, 12), bool), "latents are bool"),
    "text": (np.full((3, 12), "a"), "latents are <U1"),
    "objects": (np.full((3, 12), None), "latents are object"),
    "ragged": ([[0.0] * 12, [0.0]], "cannot be read as an array"),
    "nothing": (np.zeros((0, 12)), "of no image; give at least one row of 12 floats"),
    "not a number": (np.full((3, 12), np.nan), "not all finite"),
    "infinite": (np.full((3, 12), np.inf), "not all finite"),
    "too large for float32": (np.full((3, 12), 1e300), "not all finite in float32"),
}


@pytest.mark.parametrize("name", LATENTS)
def test_wrong_latents_are_told(name: str, plain: Runtime) -> None:
    latents, words = LATENTS[name]
    assert re.search(words, one_sentence(lambda: plain.generate(latents)))


LABELS: dict[str, tuple[Any, str]] = {
    "missing": (None, "5 classes and labels are missing; give 3 whole numbers from 0 to 4"),
    "too large": ([0, 1, 5], "labels go from 0 to 5; give 3 whole numbers from 0 to 4"),
    "negative": ([-1, 1, 2], "labels go from -1 to 2"),
    "far too large": (np.array([0, 1, 2**64 - 1], np.uint64), "labels go from 0 to 18446744073709551615"),
    "too few": ([0, 1], r"int64 of shape \(2,\); give 3 whole numbers"),
    "in a column": ([[0], [1], [2]], r"of shape \(3, 1\)"),
    "one for all": (1, r"of shape \(\)"),
    "floats": ([0.0, 1.0, 2.0], "labels are float64"),
    "truths": ([True, False, True], "labels are bool"),
    "text": (["a", "b", "c"], "labels name a class 'a' that is not there; give names of Runtime.classes"),
}


@pytest.mark.parametrize("name", LABELS)
def test_wrong_labels_are_told(name: str, conditional: Runtime) -> None:
    labels, words = LABELS[name]
    assert re.search(words, one_sentence(lambda: conditional.generate(GOOD, labels)))


def test_labels_of_small_types_are_taken(conditional: Runtime) -> None:
    expected = conditional.generate(GOOD, np.array([0, 4, 2]))
    np.testing.assert_array_equal(conditional.generate(GOOD, np.array([0, 4, 2], np.uint8)), expected)


def test_labels_of_a_generator_without_classes_are_told(plain: Runtime) -> None:
    assert one_sentence(lambda: plain.generate(GOOD, [0, 0, 0])).endswith("has no classes; leave labels out")


HUGE = 10**5000  # more digits than Python writes

WIDTHS_SHOWN: list[tuple[Any, str]] = [
    (0.3, "0.3"),
    (float("nan"), "nan"),
    ("0.5", "'0.5'"),
    (2, "2"),
    (True, "True"),
    (HUGE, "a huge int"),
    (np.eye(2), "array([[1., 0.], [0., 1.]])"),
]


@pytest.mark.parametrize(("width", "shown"), WIDTHS_SHOWN, ids=[shown for _, shown in WIDTHS_SHOWN])
def test_a_width_that_is_not_there_lists_those_that_are(width: Any, shown: str, plain: Runtime) -> None:
    text = one_sentence(lambda: plain.generate(GOOD, width=width))
    assert text == f"width {shown} is not one of the widths that were exported: 0.25, 0.5, 1"


BUDGETS = {
    "0": 0,
    "below 0": -1.0,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "text": "20",
    "truth": True,
    "huge": HUGE,
    "an array": np.eye(12),
}


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
def test_a_budget_is_a_number_above_0(budget: Any, plain: Runtime, tmp_path: Path) -> None:
    assert "give a number of milliseconds above 0" in one_sentence(lambda: Runtime(tmp_path, budget_ms=budget))


@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
@pytest.mark.parametrize("name", ["threads", "batch_size"])
def test_settings_are_whole_numbers_above_0(name: str, value: Any, plain: Runtime, tmp_path: Path) -> None:
    wanted = "give a whole number from 1 to 1024" if name == "threads" else "give a whole number of at least 1"
    assert one_sentence(lambda: Runtime(tmp_path, **{name: value})).endswith(wanted)


def test_more_threads_than_a_system_starts_are_told(plain: Runtime, tmp_path: Path) -> None:
    text = "threads is 1099511627776; give a whole number from 1 to 1024"
    assert one_sentence(lambda: Runtime(tmp_path, threads=2**40)) == text


@pytest.mark.parametrize("path", [None, 3, b"x", "a\0b"])
def test_what_is_no_path_is_told(path: Any) -> None:
    assert one_sentence(lambda: Runtime(path)).endswith("give the path of an .onnx file or of a folder as text")


def test_wrong_counts_and_seeds_are_told(plain: Runtime) -> None:
    assert "count is 0" in one_sentence(lambda: plain.latents(0))
    assert "count is 2.0" in one_sentence(lambda: plain.latents(2.0))  # type: ignore[arg-type]
    assert "seed is -1; give a whole number of at least 0" in one_sentence(lambda: plain.latents(1, seed=-1))
    assert "do not fit into memory" in one_sentence(lambda: plain.latents(2**62))


NO_IMAGES: dict[str, tuple[Any, str]] = {
    "without a batch": (np.zeros((3, 8, 8)), r"of shape \(3, 8, 8\); give floats of shape \(N, C, H, W\)"),
    "text": ("x", "images are <U1"),
    "ragged": ([[1.0], [1.0, 2.0]], "images cannot be read as an array"),
    "complex": (np.zeros((1, 1, 2, 2), complex), "images are complex128"),
    "not a number": (np.full((1, 1, 2, 2), np.nan), "images are not all numbers"),
}


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_are_no_images_have_no_bytes(name: str) -> None:
    images, words = NO_IMAGES[name]
    assert re.search(words, one_sentence(lambda: to_bytes(images)))


NO_CONTROLLER: dict[str, tuple[Callable[[WidthController], object], str]] = {
    "no widths": (lambda good: WidthController({}, 1.0), "give the seconds of at least one"),
    "no time": (lambda good: WidthController({1.0: 0.0}, 1.0), "the latency of width 1.0 is 0.0; give a number of s"),
    "no budget": (lambda good: WidthController({1.0: 1.0}, float("nan")), "budget is nan; give a number of seconds"),
    "no images": (lambda good: good.width_for(0), "batch_size is 0; give a whole number of at least 1"),
    "another width": (lambda good: good.observe(0.3, 1, 1.0), "width 0.3 is not one of the widths"),
    "a call without time": (lambda good: good.observe(1.0, 1, 0.0), "seconds is 0.0; give a number of seconds above 0"),
}


@pytest.mark.parametrize("name", NO_CONTROLLER)
def test_what_no_width_can_be_chosen_from_is_told(name: str) -> None:
    wrong, words = NO_CONTROLLER[name]
    assert words in one_sentence(lambda: wrong(WidthController({1.0: 1.0}, budget=2.0)))


def test_what_does_not_fit_into_memory_is_told(plain: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("Failed to allocate memory for requested buffer of size 8192000000")

    monkeypatch.setattr("slimgan_runtime.exported.onnxruntime.InferenceSession.run", fail)
    assert one_sentence(lambda: plain.generate(GOOD)) == "3 images at once do not fit into memory; generate fewer"


def test_missing_files_are_told(tmp_path: Path) -> None:
    assert "does not exist; give an .onnx file or a folder" in one_sentence(lambda: Runtime(tmp_path / "none.onnx"))
    assert "has neither generator.onnx nor generator_*.onnx" in one_sentence(lambda: Runtime(tmp_path))


@pytest.mark.parametrize("content", [b"", b"text", bytes(5000), None], ids=["empty", "text", "zeros", "cut"])
def test_a_damaged_file_is_told_and_nothing_else_is_printed(
    content: bytes | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "generator.onnx").write_bytes(one_file("dcgan")[:20_000] if content is None else content)
    assert "cannot be loaded as an ONNX file; export it again" in one_sentence(lambda: Runtime(tmp_path))
    assert capfd.readouterr() == ("", "")


def with_metadata(**changes: Any) -> bytes:
    """Return the file with all widths with other metadata."""
    model = onnx.load_from_string(one_file("dcgan"))
    (entry,) = [entry for entry in model.metadata_props if entry.key == "slimgan"]
    entry.value = json.dumps({**json.loads(entry.value), **changes})
    content: bytes = model.SerializeToString()
    return content


WRONG: dict[str, dict[str, Any]] = {
    "an unknown version": {"version": "one"},
    "no widths": {"widths": []},
    "widths that descend": {"widths": [1.0, 0.5, 0.25]},
    "a width of 0": {"widths": [0.0, 0.5, 1.0]},
    "widths that are text": {"widths": ["a", "b", "c"]},
    "widths that are a number": {"widths": 1},
    "no latents": {"latent_dim": 0},
    "half a pixel": {"image_size": 15.5},
    "classes without an input": {"num_classes": 5},
    "no channels": {"image_channels": None},
}


@pytest.mark.parametrize("name", WRONG)
def test_metadata_that_cannot_be_are_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "generator.onnx").write_bytes(with_metadata(**WRONG[name]))
    assert one_sentence(lambda: Runtime(tmp_path)).endswith("says of itself is damaged; export it again")


def test_a_later_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "generator.onnx").write_bytes(with_metadata(version=2))
    assert one_sentence(lambda: Runtime(tmp_path)).endswith("(format 2); install a later slimgan-runtime")


def test_the_file_of_another_program_is_told(tmp_path: Path) -> None:
    model = onnx.load_from_string(one_file("dcgan"))
    for value in (None, "text", "[]", '{"widths": 1}'):
        del model.metadata_props[:]
        if value is not None:
            onnx.helper.set_model_props(model, {"slimgan": value})
        (tmp_path / "generator.onnx").write_bytes(model.SerializeToString())
        assert "says nothing of slimgan-pl; give a file that" in one_sentence(lambda: Runtime(tmp_path))


def test_files_that_do_not_go_together_are_told(tmp_path: Path) -> None:
    (tmp_path / "generator_0.25.onnx").write_bytes(one_width("dcgan", 0.25))
    (tmp_path / "generator_0.250.onnx").write_bytes(one_width("dcgan", 0.25))
    assert "has a width that a file beside it has too" in one_sentence(lambda: Runtime(tmp_path))
    (tmp_path / "generator_0.250.onnx").write_bytes(one_width("sliceable resnet", 0.5))
    assert "is of another generator than the files beside it" in one_sentence(lambda: Runtime(tmp_path))
