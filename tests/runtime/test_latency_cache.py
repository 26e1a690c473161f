"""Widths are measured once for a file and a device."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exports import one_file, write_one_file

import slimgan_runtime.runtime
from slimgan_runtime import Runtime
from slimgan_runtime.exported import ExportedGenerator
from slimgan_runtime.latency import cpu_of, measure


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "slimgan-runtime"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_one_file("dcgan", tmp_path)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[float, float]]:
    """Return a list that grows with each measurement."""
    results: list[dict[float, float]] = []

    def note(*args: Any) -> dict[float, float]:
        results.append(measure(*args))
        return results[-1]

    monkeypatch.setattr(slimgan_runtime.runtime, "measure", note)
    return results


def test_the_second_start_measures_nothing(cache: Path, file: Path, measured: list[Any]) -> None:
    first = Runtime(file, budget_ms=1)
    assert measured == [first.latencies_ms]
    assert list(first.latencies_ms) == [0.25, 0.5, 1.0]
    assert Runtime(file, budget_ms=2).latencies_ms == first.latencies_ms
    assert len(measured) == 1
    assert [path.suffix for path in cache.iterdir()] == [".json"]


def test_each_width_is_warm_when_the_times_are_known_already(
    cache: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Runtime(file, budget_ms=1, batch_size=3)
    widths_run, run = [], ExportedGenerator.run

    def note(exported: ExportedGenerator, width: float, latents: Any, labels: Any) -> Any:
        widths_run.append((width, len(latents)))
        return run(exported, width, latents, labels)

    monkeypatch.setattr(ExportedGenerator, "run", note)
    Runtime(file, budget_ms=1, batch_size=3)
    assert widths_run == [(0.25, 3), (0.5, 3), (1.0, 3)]


ARM = """processor\t: 0
CPU implementer\t: 0x41
CPU part\t: {part}

processor\t: 1
CPU implementer\t: 0x41
CPU part\t: 0xd05
"""


def test_processors_are_told_apart_where_they_have_no_name() -> None:
    assert cpu_of("model\t\t: 85\nmodel name\t: Some CPU @ 2 GHz\n" * 2) == "Some CPU @ 2 GHz"
    assert cpu_of(ARM.format(part="0xd0b")) == "0x41 0xd05 0xd0b"
    assert cpu_of(ARM.format(part="0xd05")) == "0x41 0xd05"
    assert cpu_of("") == ""


def test_without_a_budget_nothing_is_measured_or_written(cache: Path, file: Path, measured: list[Any]) -> None:
    Runtime(file)
    assert not measured
    assert not cache.exists()


@pytest.mark.parametrize("settings", [{"threads": 1}, {"batch_size": 2}])
def test_other_settings_are_measured_by_themselves(settings: Any, cache: Path, file: Path, measured: list[Any]) -> None:
    Runtime(file, budget_ms=1)
    Runtime(file, budget_ms=1, **settings)
    assert len(measured) == 2


@pytest.mark.parametrize("what", ["cpu_name", "num_cores", "platform.node", "onnxruntime.__version__"])
def test_another_device_or_version_is_measured_by_itself(
    what: str, cache: Path, file: Path, measured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Runtime(file, budget_ms=1)
    monkeypatch.setattr(f"slimgan_runtime.latency.{what}", "other" if what.endswith("__") else lambda: "other")
    Runtime(file, budget_ms=1)
    assert len(measured) == 2


def test_another_file_at_the_same_place_is_measured_by_itself(cache: Path, file: Path, measured: list[Any]) -> None:
    Runtime(file, budget_ms=1)
    file.write_bytes(one_file("sliceable resnet"))
    assert list(Runtime(file, budget_ms=1).latencies_ms) == [0.5, 1.0]
    assert len(measured) == 2


def with_times(text: str, times: object) -> str:
    return json.dumps({**json.loads(text), "latencies_ms": times})


DAMAGE: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "cut off": lambda text: text[: len(text) // 2],
    "of other widths": lambda text: text.replace('"0.25"', '"0.3"'),
    "without times": lambda text: with_times(text, None),
    "with a time below 0": lambda text: with_times(text, {"0.25": -1, "0.5": 1, "1.0": 1}),
    "with no number": lambda text: with_times(text, {"0.25": float("nan"), "0.5": 1, "1.0": 1}),
    "of another key": lambda text: json.dumps({**json.loads(text), "key": {}}),
    "a list": lambda text: "[1, 2]",
    "deeply nested": lambda text: "[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_ignored_and_written_anew(name: str, cache: Path, file: Path, measured: list[Any]) -> None:
    Runtime(file, budget_ms=1)
    (path,) = cache.iterdir()
    path.write_text(DAMAGE[name](path.read_text()))
    again = Runtime(file, budget_ms=1)
    assert len(measured) == 2
    assert Runtime(file, budget_ms=1).latencies_ms == again.latencies_ms
    assert len(measured) == 2


def test_a_folder_that_cannot_be_written_is_ignored(cache: Path, file: Path, measured: list[Any]) -> None:
    cache.parent.mkdir()
    cache.write_text("a file in its place")
    assert [Runtime(file, budget_ms=1).latencies_ms for _ in range(2)] == measured
    assert cache.read_text() == "a file in its place"


def test_a_measurement_that_cannot_be_moved_leaves_nothing(
    cache: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refuse)
    assert Runtime(file, budget_ms=1).latencies_ms
    assert not os.listdir(cache)


def test_widths_take_turns_and_the_median_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now, widths_run = [0.0], []

    def generate(width: float) -> None:
        widths_run.append(width)
        now[0] += 1.0 if len(widths_run) in (1, 2, 9) else 0.001 * width  # the first calls, and one that was disturbed

    monkeypatch.setattr("slimgan_runtime.latency.time.perf_counter", lambda: now[0])
    assert measure(generate, (1.0, 2.0)) == pytest.approx({1.0: 1.0, 2.0: 2.0})
    assert widths_run[:4] == [1.0, 2.0, 1.0, 2.0]


def test_slow_widths_are_not_measured_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now, widths_run = [0.0], []

    def generate(width: float) -> None:
        widths_run.append(width)
        now[0] += 10.0

    monkeypatch.setattr("slimgan_runtime.latency.time.perf_counter", lambda: now[0])
    assert measure(generate, (0.5, 1.0)) == pytest.approx({0.5: 10_000.0, 1.0: 10_000.0})
    assert len(widths_run) == 6
