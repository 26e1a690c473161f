"""The cache of byte arrays is whole or absent."""

import errno
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from slimgan_pl.data import ByteArray, ByteLoader, ImageSource
from slimgan_pl.data.byte_array import open_byte_array
from slimgan_pl.errors import UserError


class Counted(ImageSource):
    """Twelve one-pixel images that count how often they are read."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.reads = 0
        self.fail_at = fail_at
        self.labels = np.arange(12)

    @property
    def key(self) -> dict[str, Any]:
        return {"source": "counted"}

    def __len__(self) -> int:
        return 12

    def read(self, index: int) -> npt.NDArray[np.uint8]:
        self.reads += 1
        if index == self.fail_at:
            raise ValueError("broken")
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


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"):
        open_byte_array(Counted(fail_at=7), "set", tmp_path)
    assert [path for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []


def test_a_truncated_array_is_built_again(tmp_path: Path) -> None:
    open_byte_array(Counted(), "set", tmp_path)
    (path,) = tmp_path.glob("*/images.npy")
    path.write_bytes(path.read_bytes()[:-3])
    again = Counted()
    assert len(open_byte_array(again, "set", tmp_path).images) == 12
    assert again.reads >= 12


def test_an_array_has_the_mode_of_any_new_folder(tmp_path: Path) -> None:
    open_byte_array(Counted(), "set", tmp_path / "cache")
    (tmp_path / "plain").mkdir()
    (folder,) = (tmp_path / "cache").iterdir()
    assert folder.stat().st_mode == (tmp_path / "plain").stat().st_mode


BUILD = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_byte_array import Counted
from slimgan_pl.data.byte_array import open_byte_array

class Slow(Counted):
    def read(self, index):
        with Path({log!r}).open("a") as log:
            log.write("read\\n")
        time.sleep({delay})
        return super().read(index)

print(open_byte_array(Slow(), "set", Path({cache!r})).images.sum())
"""


def build_elsewhere(cache: Path, log: Path, delay: float) -> subprocess.Popen[str]:
    """Start a process that builds the array of ``Counted``; it writes a line to the log for each image it reads."""
    script = BUILD.format(tests=str(Path(__file__).parent), log=str(log), cache=str(cache), delay=delay)
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def wait_until_it_reads(log: Path) -> None:
    deadline = time.monotonic() + 60
    while not log.exists() or len(log.read_text()) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_build_is_started_again_and_leaves_nothing(tmp_path: Path) -> None:
    cache, log = tmp_path / "cache", tmp_path / "log"
    process = build_elsewhere(cache, log, delay=30)
    wait_until_it_reads(log)
    process.kill()
    process.wait()
    assert [path.name for path in cache.iterdir() if path.name.endswith(".part")]
    array = open_byte_array(Counted(), "set", cache)
    assert array.images[:, 0, 0, 0].tolist() == list(range(12))
    assert [path.name.startswith(".") for path in cache.iterdir()] == [False]


def test_of_two_processes_one_builds_and_the_other_waits(tmp_path: Path) -> None:
    cache, log = tmp_path / "cache", tmp_path / "log"
    process = build_elsewhere(cache, log, delay=0.5)
    wait_until_it_reads(log)
    mine = Counted()
    array = open_byte_array(mine, "set", cache)
    assert mine.reads == 0
    assert array.images[:, 0, 0, 0].tolist() == list(range(12))
    output, _ = process.communicate()
    assert int(output) == sum(range(12))


def test_images_stay_in_order_whichever_thread_is_first(tmp_path: Path) -> None:
    class Uneven(Counted):
        def __len__(self) -> int:
            return 200

        def read(self, index: int) -> npt.NDArray[np.uint8]:
            time.sleep(0.002 * (index // 16 % 3 == 0))
            return np.full((1, 1, 1), index, dtype=np.uint8)

    source = Uneven()
    source.labels = np.arange(200)
    assert open_byte_array(source, "set", tmp_path).images[:, 0, 0, 0].tolist() == list(range(200))


@pytest.mark.parametrize("when", ["before", "while writing"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = open_byte_array(Counted(), "other", tmp_path)
    if when == "before":
        usage = shutil.disk_usage(tmp_path)._replace(free=5)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    else:

        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(np, "save", full)
    with pytest.raises(UserError, match=r"the bytes of set take 1.2e-08 GB, and .* free some, or name another folder"):
        open_byte_array(Counted(), "set", tmp_path)
    assert [path for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == [whole.folder]


def array(count: int) -> ByteArray:
    return ByteArray(np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1), np.arange(count))


def test_no_image_of_an_epoch_goes_to_two_processes_and_all_have_as_many_batches() -> None:
    loaders = [ByteLoader(array(23), 3, seed=1, rank=rank, world=2) for rank in range(2)]
    taken = [[int(x) for images, _ in loader for x in images.flatten()] for loader in loaders]
    assert [len(loader) for loader in loaders] == [3, 3]
    assert len({*taken[0], *taken[1]}) == 18


def test_iteration_goes_on_from_its_position() -> None:
    position = 0
    loader = ByteLoader(array(12), 3, seed=5, position=lambda: position)
    epochs = []
    for epoch in range(2):
        position = epoch * 4
        epochs.append([images.flatten().tolist() for images, _ in loader])
    assert epochs[0] != epochs[1]
    position = 6
    assert [images.flatten().tolist() for images, _ in loader] == epochs[1][2:]


def test_labels_stay_with_their_images() -> None:
    for images, labels in ByteLoader(array(12), 5, seed=0):
        assert labels is not None
        assert images.flatten().tolist() == labels.tolist()
