"""The cache of byte arrays is whole or absent."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from slimgan_pl.data import ByteArray, ByteLoader, ImageSource
from slimgan_pl.data.byte_array import open_byte_array


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
    assert list(tmp_path.iterdir()) == []


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


def test_the_array_that_another_process_finished_meanwhile_is_taken(tmp_path: Path) -> None:
    finished: list[Path] = []

    class Overtaken(Counted):
        def read(self, index: int) -> npt.NDArray[np.uint8]:
            if index == 5:
                open_byte_array(Counted(), "set", tmp_path)
                finished.extend(path for path in tmp_path.iterdir() if not path.name.startswith("."))
                (finished[0] / "mark").touch()
            return super().read(index)

    array = open_byte_array(Overtaken(), "set", tmp_path)
    assert array.images[:, 0, 0, 0].tolist() == list(range(12))
    assert list(tmp_path.iterdir()) == finished
    assert (finished[0] / "mark").exists()


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
