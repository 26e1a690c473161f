"""The wheel generates images in an environment with numpy and ONNX Runtime alone."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnxruntime
import pytest
from docs_pages import ROOT
from exports import TOLERANCE, generate_reference, write_one_file
from seasoned import seasoned

PROGRAM = """
import importlib.util, json, sys
import numpy as np
from slimgan_runtime import Runtime

runtime = Runtime("generator.onnx", budget_ms=1000, threads=1)
latents = np.load("latents.npy")
np.savez("images.npz", *[runtime.generate(latents, width=width) for width in runtime.widths], runtime.generate(latents))
names = ("torch", "slimgan_pl", "onnx")
there = [name for name in names if importlib.util.find_spec(name)]
print(json.dumps({"there": there, "loaded": [name for name in names if name in sys.modules], "from": sys.prefix}))
"""


def run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] = MappingProxyType({})) -> str:
    """Run a command without this environment's paths and return what it prints."""
    environment = {**{key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, **env}
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built by what its pyproject.toml names."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    paths = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT / "runtime", env=paths)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an empty environment with the wheel, which finds this one's numpy and ONNX Runtime alone."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    offline = ("--no-index", "--no-deps", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, "install", *offline, wheel)
    (folder / "links").mkdir()
    for package in (np, onnxruntime):
        place = Path(package.__path__[0])
        for path in (place, place.with_name(f"{place.name}.libs")):
            if path.exists():
                (folder / "links" / path.name).symlink_to(path)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(site) / "links.pth").write_text(f"{folder / 'links'}\n")
    return python


@pytest.mark.slow
def test_an_environment_without_torch_generates_what_torch_generates(python: Path, tmp_path: Path) -> None:
    write_one_file("dcgan", tmp_path)
    generator = seasoned("dcgan")
    expected = [generate_reference(generator, 3, width) for width in generator.widths]
    np.save(tmp_path / "latents.npy", expected[0][0])
    (tmp_path / "generate.py").write_text(PROGRAM)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "LOCALAPPDATA": str(tmp_path / "cache")}
    told = json.loads(run(python, "generate.py", cwd=tmp_path, env=cache))
    assert told == {"there": [], "loaded": [], "from": str(python.parents[1])}
    generated = np.load(tmp_path / "images.npz")
    for index, (_, _, images) in enumerate([*expected, expected[-1]]):
        np.testing.assert_allclose(generated[f"arr_{index}"], images, rtol=0, atol=TOLERANCE)
    if sys.platform != "darwin":  # where no variable names the folder
        # ONNX Runtime would keep what it sends to its makers there, and a name for this device.
        assert os.listdir(tmp_path / "cache") == ["slimgan-runtime"]


def test_the_wheel_needs_numpy_and_onnxruntime_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        text = archive.read(about).decode()
    needed = [line.removeprefix("Requires-Dist: ") for line in text.splitlines() if line.startswith("Requires-Dist")]
    assert needed == ["numpy>=1.24", "onnxruntime>=1.18"]
    assert "License-Expression: Apache-2.0" in text
    assert {"slimgan_runtime/py.typed", "slimgan_runtime/runtime.py"} <= set(names)
    assert any(name.endswith("LICENSE") for name in names)


def test_no_module_names_torch_or_the_package() -> None:
    modules = list((ROOT / "runtime" / "src").rglob("*.py"))
    assert modules
    for module in modules:
        imported = [line for line in module.read_text().splitlines() if line.lstrip().startswith(("import ", "from "))]
        assert not [line for line in imported if "torch" in line or "slimgan_pl" in line]


def test_the_licence_is_the_repositorys() -> None:
    assert (ROOT / "runtime" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
