"""The architecture: imports only go down."""

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "import_graph.py"))


def write(root: Path, **files: str) -> Path:
    """Write a package of modules and return its folder."""
    for name, text in files.items():
        path = root / "slimgan_pl" / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "slimgan_pl"


def test_imports_only_go_down(script: dict[str, Any]) -> None:
    assert script["broken_rules"](ROOT / "src" / "slimgan_pl") == []


@pytest.mark.parametrize(
    "text",
    [
        "from slimgan_pl.cli import main",
        "import slimgan_pl.cli.main",
        "def f():\n    from slimgan_pl.cli.main import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from slimgan_pl.cli.main import x",
    ],
)
def test_an_import_that_goes_up_is_found(text: str, script: dict[str, Any], tmp_path: Path) -> None:
    lines = script["broken_rules"](write(tmp_path, utils__files=text, cli__main="x = 1"))
    assert [line.split(",")[0].split("imports ")[1] for line in lines] == ["slimgan_pl.cli.main"]


def test_a_circle_is_found(script: dict[str, Any], tmp_path: Path) -> None:
    files = {"utils__a": "from slimgan_pl.utils.b import x", "utils__b": "import slimgan_pl.utils.a"}
    (line,) = script["broken_rules"](write(tmp_path, **files))
    assert "slimgan_pl.utils.a -> slimgan_pl.utils.b" in line or "slimgan_pl.utils.b -> slimgan_pl.utils.a" in line


def test_a_room_without_a_floor_is_found(script: dict[str, Any], tmp_path: Path) -> None:
    assert script["broken_rules"](write(tmp_path, attic__a="")) == ["attic is on no floor"]
