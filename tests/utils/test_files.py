"""A file that is written is whole or absent."""

import os
from pathlib import Path

import pytest

from slimgan_pl.utils.files import replacing


@pytest.mark.parametrize("is_contended", [False, True])
def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(is_contended: bool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), replacing(path, is_contended) as file:  # noqa: PT012
        file.write(b"ha")
        raise OSError("full")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"
    with replacing(path, is_contended) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "new"


def test_the_bytes_are_on_disk_before_the_old_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced, sync = tmp_path / "file", list[str](), os.fsync
    path.write_text("old")

    def noting(descriptor: int) -> None:
        sync(descriptor)
        synced.append(path.read_text())

    monkeypatch.setattr(os, "fsync", noting)
    with replacing(path) as file:
        file.write(b"new")
    assert synced[0] == "old"
    assert os.name == "nt" or synced[1:] == ["new"]  # and the folder, so that the new name lasts as well
