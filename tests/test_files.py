"""A file that is written is whole or absent."""

from pathlib import Path

import pytest

from slimgan_pl.files import replacing


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
