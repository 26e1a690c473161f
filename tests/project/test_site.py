"""The site is built of the documentation without a warning, and its results are those of the files."""

import importlib
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docs_pages import PAGES, ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site, of which no warning is left."""
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    folder = tmp_path_factory.mktemp("site")
    strict = ["--nitpicky", "--fail-on-warning", "--keep-going", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "sphinx", *strict, str(ROOT / "docs"), str(folder)]
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.slow
def test_every_page_is_on_the_site_and_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in PAGES[1:]:
        text = (site / page.removeprefix("docs/")).with_suffix(".html").read_text()
        assert not re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=[\"']?(?:https?:)?//", text)
        assert not re.findall(r"<link[^>]*\shref=[\"']?(?:https?:)?//", text)
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text()), style


@pytest.mark.slow
def test_the_reference_has_every_class_and_function_of_a_page(site: Path) -> None:
    for page in sorted((ROOT / "docs" / "api").glob("*.md")):
        text = (site / "api" / f"{page.stem}.html").read_text()
        for name in re.findall(r"automodule:: ([\w.]+)\n   :members:\n", page.read_text()):
            module = importlib.import_module(name)
            public = {each: getattr(module, each) for each in getattr(module, "__all__", ())}
            documented = {each for each, value in public.items() if callable(value) and value.__doc__}
            assert {each for each in documented if f'id="{name}.{each}"' not in text} == set()


@pytest.mark.slow
def test_the_results_page_holds_the_metrics_and_provenance_of_each_file(site: Path) -> None:
    text = (site / "results.html").read_text()
    files = sorted((ROOT / "docs" / "results").glob("*.json"))
    assert files
    for file in files:
        results = json.loads(file.read_text())
        for row in results["widths"]:
            assert f"{row['fid_digits']:.4g}" in text
        assert f"{results['mic_digits']:.4g}" in text
        assert results["extractor"]["weights_sha256"] in text
        assert results["checkpoint"]["sha256"] in text


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., str]:
    """Return a function that puts changed results of the digits on a page."""
    fill = runpy.run_path(str(ROOT / "docs" / "results_page.py"))["fill"]

    def show(old: str = "", new: str = "", **changes: Any) -> str:
        text = (ROOT / "docs" / "results" / "digits.json").read_text().replace(old, new)
        (tmp_path / "a_run.json").write_text(json.dumps({**json.loads(text), **changes}))
        page: str = fill("before\n\n<!-- results -->\n\nafter", tmp_path)
        assert page.startswith("before\n\n## A run\n")
        return page

    return show


def test_metrics_of_another_extractor_carry_its_name(results: Callable[..., str]) -> None:
    assert "FID (digits) ↓" in results()
    assert "FID ↓" in results("_digits", "", extractor={"name": "inception"})


def test_a_result_without_widths_to_compare_has_no_table_of_them(results: Callable[..., str]) -> None:
    assert "Between widths" in results()
    assert "Between widths" not in results('"mic_digits"', '"other"')


def test_over_seeds_the_deviation_stands_behind_the_metric(results: Callable[..., str]) -> None:
    assert " ±1.5 |" in results(deviation={"widths": [{"fid_digits": 1.5}, {}, {}, {}]})
    assert "±" not in results()


def test_result_files_hold_no_path_of_a_machine() -> None:
    for file in (ROOT / "docs" / "results").glob("*.json"):
        assert not re.findall(r'"/|\\\\', file.read_text()), file
