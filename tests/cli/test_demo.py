"""``slimgan demo`` and the web format: a checkpoint as a page."""

import json
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from commands import run

from slimgan_pl.export.web import onnxruntime_web

RUNTIME = dict.fromkeys(onnxruntime_web.FILES, b"")


@pytest.fixture
def checkpoint(digits_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkpoint of a tiny run; the working directory is an empty one."""
    monkeypatch.chdir(tmp_path)
    return digits_checkpoint


def test_a_demo_shows_a_checkpoint_and_leaves_nothing(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Any] = {}

    def visit(address: str) -> None:  # returns after the page is there, as some browsers do
        with urllib.request.urlopen(address, timeout=10) as response:
            seen["page"] = response.read().decode()
        os.kill(os.getpid(), signal.SIGINT)

    for name in ("TMPDIR", "DISPLAY"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("webbrowser.open", visit)
    monkeypatch.setattr("slimgan_pl.export.formats.web.runtime_files", lambda *_: RUNTIME)
    run("demo", "--ckpt_path", checkpoint, "--port", 0)
    assert "<h1>digits</h1>" in seen["page"]
    assert "http://127.0.0.1:" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_page_has_the_metrics_of_its_checkpoint_and_goes_with_it(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slimgan_pl.export.formats.web.runtime_files", lambda *_: RUNTIME)
    run("export", "--ckpt_path", checkpoint, "--format", "web")
    facts = json.loads(Path("export/facts.json").read_text())
    results = json.loads((checkpoint.parent.parent / "results.json").read_text())
    shown = [width["metrics"]["FID (digits)"] for width in facts["widths"]]
    assert shown == [row["fid_digits"] for row in results["widths"]]
    card = json.loads(Path("export/model_card.json").read_text())
    assert [file["name"] for file in card["files"]] == ["generator.onnx"]
    assert {"index.html", "app.js", "ort/ort-wasm-simd-threaded.wasm"} <= set(card["page"])
    run("export", "--ckpt_path", checkpoint, "--format", "safetensors", "--width", 1.0, "--overwrite", "true")
    left = sorted(path.name for path in Path("export").rglob("*"))
    assert left == ["generator_1.safetensors", "model_card.json", "model_card.md"]
