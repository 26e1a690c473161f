"""The cache of byte arrays is whole or absent."""

import errno
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from slimgan_pl.data import ImageSource
from slimgan_pl.data.broken_images import BrokenImageError, BrokenImagesError
from slimgan_pl.data.byte_array import open_byte_array
from slimgan_pl.errors import SlimGANError, SlimGANWarning


class Counted(ImageSource):
    """Twelve one-pixel images that count how often they are read."""

    def __init__(self) -> None:
        self.reads = 0
        self.labels = np.arange(12)

    @property
    def key(self) -> dict[str, Any]:
        return {"source": "counted"}

    def __len__(self) -> int:
        return 12

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        self.reads += 1
        return np.full((1, 1, 1), index, dtype=np.uint8)


def test_a_source_is_read_once_and_then_from_the_cache(tmp_path: Path) -> None:
    first, second = Counted(), Counted()
    open_byte_array(first, "set", tmp_path)
    array = open_byte_array(second, "set", tmp_path)
    assert first.reads >= 12
    assert second.reads == 0
    assert array.images[:, 0, 0, 0].tolist() == list(range(12))
    assert array.labels is not None
    assert array.labels.tolist() == list(range(12))


class Many(Counted):
    """So many colourful images that threads overtake each other."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.images = np.random.default_rng(0).integers(0, 256, (count, 3, 2, 2), dtype=np.uint8)
        self.labels = np.arange(count)

    def __len__(self) -> int:
        return len(self.images)

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        self.reads += 1
        time.sleep(0.002 * (index // 4 % 3 == 0))
        image: npt.NDArray[np.uint8] = self.images[index]
        return image


def test_images_stay_in_order_whichever_thread_is_first(tmp_path: Path) -> None:
    source = Many(200)
    array = open_byte_array(source, "set", tmp_path)
    assert np.array_equal(array.images, source.images)
    assert array.labels is not None
    assert array.labels.tolist() == list(range(200))


def test_a_failure_stops_the_reading_and_leaves_nothing_behind(tmp_path: Path) -> None:
    class Broken(Many):
        def read(self, index: int) -> npt.NDArray[np.uint8]:
            if index == 7:
                raise ValueError("broken")
            return super().read(index)

    source = Broken(20_000)
    with pytest.raises(ValueError, match="broken"):
        open_byte_array(source, "set", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert source.reads < 10_000


def test_an_interrupt_stops_the_reading_and_leaves_nothing_behind(tmp_path: Path) -> None:
    class Interrupted(Many):
        def read(self, index: int) -> npt.NDArray[np.uint8]:
            if index == 20:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return super().read(index)

    source = Interrupted(20_000)
    with pytest.raises(KeyboardInterrupt):
        open_byte_array(source, "set", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert source.reads < 10_000


@pytest.mark.parametrize("other", [np.zeros((1, 1, 2), np.uint8), np.zeros((1, 1, 1), np.float32)])
def test_images_that_differ_in_shape_or_type_are_refused(other: npt.NDArray[Any], tmp_path: Path) -> None:
    class Mixed(Counted):
        def read(self, index: int) -> npt.NDArray[np.uint8]:
            return other if index == 5 else super().read(index)

    with pytest.raises(ValueError, match=r"image 5 is .*; all have to be uint8 \(1, 1, 1\)"):
        open_byte_array(Mixed(), "set", tmp_path)


class Patchy(Many):
    """Images of which some cannot be used."""

    def __init__(self, count: int, broken: set[int]) -> None:
        super().__init__(count)
        self.broken = broken
        self.skip_broken = True

    @property
    def key(self) -> dict[str, Any]:
        return {"source": "patchy", "broken": sorted(self.broken)}

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        if index in self.broken:
            raise BrokenImageError(str(index), "it is gone")
        return super().read(index)


@pytest.mark.parametrize("broken", [{0}, {104}, set(range(100)), {3, 50, 51}])
def test_the_other_images_of_a_source_keep_their_order_and_labels(broken: set[int], tmp_path: Path) -> None:
    source = Patchy(105, broken)  # fewer digits than the header was first written with
    kept = [number for number in range(105) if number not in broken]
    for _ in range(2):  # built, then from the cache
        array = open_byte_array(source, "set", tmp_path)
        assert np.array_equal(array.images, source.images[kept])
        assert array.labels is not None
        assert array.labels.tolist() == kept
        assert [(image.name, image.reason) for image in array.left_out] == [
            (str(n), "it is gone") for n in sorted(broken)
        ]


def test_all_are_looked_at_before_broken_images_are_refused(tmp_path: Path) -> None:
    source = Patchy(105, {0, 104})
    source.skip_broken = False
    with pytest.raises(
        BrokenImagesError, match=r"2 of 105 images cannot be used: 0 \(it is gone\), 104 \(it is gone\)"
    ):
        open_byte_array(source, "set", tmp_path)
    assert list(tmp_path.iterdir()) == []


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("images.npy", truncate),
        ("images.npy", change),
        ("labels.npy", change),
        ("sha256.json", truncate),
        ("sha256.json", Path.unlink),
    ],
)
def test_an_array_that_is_damaged_is_built_again_and_that_is_said(
    name: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    whole = open_byte_array(Counted(), "set", tmp_path)
    expected = whole.images[:].copy()
    (path,) = tmp_path.glob(f"*/{name}")
    damage(path)
    again = Counted()
    with pytest.warns(SlimGANWarning, match="is damaged or of another version; it is built again"):
        built = open_byte_array(again, "set", tmp_path)
    assert np.array_equal(built.images, expected)
    assert again.reads >= 12


def test_an_array_has_the_mode_of_any_new_folder(tmp_path: Path) -> None:
    open_byte_array(Counted(), "set", tmp_path / "cache")
    (tmp_path / "plain").mkdir()
    (folder,) = (tmp_path / "cache").iterdir()
    assert folder.stat().st_mode == (tmp_path / "plain").stat().st_mode


class Held(Counted):
    """Images of which all but the first come only when a file is there; another tells that they are asked for."""

    def __init__(self, asked: Path, go: Path) -> None:
        super().__init__()
        self.asked, self.go = asked, go

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        if index > 0:
            self.asked.touch()
            wait_for(self.go)
        return super().read(index)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def build_elsewhere(folder: Path) -> BaseProcess:
    """Return a process that has begun to build the array of ``Counted`` and continues once a file ``go`` exists."""
    source = Held(folder / "asked", folder / "go")
    process = multiprocessing.get_context("fork").Process(
        target=open_byte_array, args=(source, "set", folder / "cache")
    )
    process.start()
    wait_for(source.asked)
    return process


@pytest.mark.parametrize("name", ["set", "other"])
def test_what_a_killed_build_leaves_is_not_loaded_and_vanishes_at_the_next_build_of_any_array(
    name: str, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    process = build_elsewhere(tmp_path)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert len(list(cache.glob(".set-*.part"))) == 1
    array = open_byte_array(Counted(), name, cache)
    assert array.images[:, 0, 0, 0].tolist() == list(range(12))
    assert list(cache.iterdir()) == [array.folder]


def test_of_two_processes_one_builds_and_the_other_waits(tmp_path: Path) -> None:
    process = build_elsewhere(tmp_path)
    threading.Timer(0.3, (tmp_path / "go").touch).start()
    mine = Counted()
    array = open_byte_array(mine, "set", tmp_path / "cache")
    process.join()
    assert process.exitcode == 0
    assert mine.reads == 0
    assert array.images[:, 0, 0, 0].tolist() == list(range(12))
    assert list((tmp_path / "cache").iterdir()) == [array.folder]


def test_who_waits_for_a_build_that_is_killed_builds(tmp_path: Path) -> None:
    process = build_elsewhere(tmp_path)
    threading.Timer(0.3, process.kill).start()
    array = open_byte_array(Counted(), "set", tmp_path / "cache")
    process.join()
    assert array.images[:, 0, 0, 0].tolist() == list(range(12))
    assert list((tmp_path / "cache").iterdir()) == [array.folder]


def test_a_build_leaves_another_processs_alone(tmp_path: Path) -> None:
    process = build_elsewhere(tmp_path)
    open_byte_array(Counted(), "other", tmp_path / "cache")
    (tmp_path / "go").touch()
    process.join()
    assert process.exitcode == 0


def refuse_folders(patch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    patch.setattr(Path, "mkdir", full)


def shrink_the_disk(patch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=100)
    patch.setattr(shutil, "disk_usage", lambda _: usage)


def fill_the_disk(patch: pytest.MonkeyPatch, at: str) -> None:
    real = Path.open

    def opened(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        return real(Path("/dev/full") if at in path.name else path, mode, *args, **kwargs)

    patch.setattr(Path, "open", opened)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("when", ["folder", "before", "images.npy", "labels.npy"])
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(when: str, tmp_path: Path) -> None:
    whole = open_byte_array(Counted(), "other", tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        if when == "folder":
            refuse_folders(patch)
        elif when == "before":
            shrink_the_disk(patch)
        else:
            fill_the_disk(patch, at=when)
        with pytest.raises(
            SlimGANError, match=r"the bytes of set take 1.08e-07 GB, for which .* has no room \(.+\); free"
        ):
            open_byte_array(Counted(), "set", tmp_path)
    assert list(tmp_path.iterdir()) == [whole.folder]
    again = Counted()
    open_byte_array(again, "other", tmp_path)
    assert again.reads == 0
