"""A file that is written is whole or absent."""

import os
from pathlib import Path

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.files import (
    check_folder,
    describe_os_error,
    filling_folder,
    replacing,
    temporary_path,
    write_whole,
    writing_output,
)


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


@pytest.mark.parametrize("name", [255 * "x", 127 * "é" + "x", 63 * "😀" + "xyz"], ids=["ASCII", "Latin", "emoji"])
@pytest.mark.parametrize("is_contended", [False, True])
def test_a_name_of_255_bytes_is_written_and_a_killed_write_replaced(
    name: str, is_contended: bool, tmp_path: Path
) -> None:
    path = tmp_path / name
    assert len(os.fsencode(name)) == 255
    temporary_path(path).write_text("half")  # of a process that was killed
    write_whole(path, b"old", is_contended)
    write_whole(path, b"new", is_contended)
    assert path.read_bytes() == b"new"
    write_whole(path, b"new")
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_long_names_have_temporary_places_of_their_own(tmp_path: Path) -> None:
    places = {temporary_path(tmp_path / f"{250 * 'x'}{suffix}") for suffix in (".json", ".png", ".txt")}
    assert len(places) == 3
    assert all(len(place.name) < 255 for place in places)


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError, match="directory") as info, replacing(path) as file:
        file.write(b"new")
    assert info.value.filename == str(path)
    assert info.value.filename2 is None
    assert describe_os_error(info.value).startswith(f"{path} cannot be used (Is a directory); move that folder away")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(30, "Read-only file system", "a.json"), "a.json cannot be used (Read-only file system); give write"),
        (
            OSError(36, "File name too long", b"\xff"),
            "\udcff cannot be used (File name too long); choose a shorter name",
        ),
        (OSError(28, "No space left on device"), "the system refuses what the command needs (No space left on device)"),
        (OSError("a library's own sentence"), "a library's own sentence"),
    ],
)
def test_an_error_of_the_system_is_a_sentence(error: OSError, sentence: str) -> None:
    assert describe_os_error(error).startswith(sentence)
    assert "Errno" not in describe_os_error(error)


@pytest.mark.parametrize(
    ("number", "remedy"), [(30, "give write access there"), (28, "make room there"), (36, "choose a shorter name")]
)
def test_an_output_that_cannot_be_written_says_why_and_what_to_do(number: int, remedy: str) -> None:
    with pytest.raises(SlimGANError) as info, writing_output("the page", "x.html"):
        raise OSError(number, "Reason")
    assert str(info.value) == f"the page could not be written to x.html (Reason); {remedy}, or name another --output"


def test_a_folder_is_filled_at_once_or_left_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with pytest.raises(OSError, match="full"), filling_folder(folder) as scratch:  # noqa: PT012
        (scratch / "a").write_text("ha")
        raise OSError("full")
    assert not folder.exists()
    (folder / ".part").mkdir(parents=True)
    (folder / ".part" / "half").write_text("of a process that was killed")
    (folder / "mine").write_text("mine")
    (folder / "a").write_text("old")
    with filling_folder(folder) as scratch:
        (scratch / "sub").mkdir()
        for name in ("a", "sub/b"):
            (scratch / name).write_text("new")
        assert (folder / "a").read_text() == "old"
    found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert found == {"mine": "mine", "a": "new", "sub/b": "new"}


def test_a_file_in_a_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SlimGANError, match="file is a file, so nothing can be written below it"):
        check_folder(tmp_path / "file" / "below")
