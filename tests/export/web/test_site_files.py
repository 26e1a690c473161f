"""The files of the page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.web import onnxruntime_web, width_facts, write_site
from slimgan_pl.training.slimgan import SlimGAN

pytest.importorskip("onnxscript")

RUNTIME = dict.fromkeys(onnxruntime_web.FILES, b"runtime")


@pytest.fixture
def model() -> Any:
    """Return a graph with nothing but what it says of itself."""
    from onnx import ModelProto, helper

    told = {"version": 1, "widths": [0.25, 0.5, 1.0], "latent_dim": 8, "num_classes": 0, "precision": "float16"}
    model = ModelProto()
    helper.set_model_props(model, {"slimgan": json.dumps(told)})
    return model


def test_all_that_is_written_is_told(model: Any, make_model: Callable[..., SlimGAN], tmp_path: Path) -> None:
    written = write_site(model, tmp_path / "site", "Digits", width_facts(make_model().generator), RUNTIME)
    assert set(written) == {path for path in (tmp_path / "site").rglob("*") if path.is_file()}
    names = {str(path.relative_to(tmp_path / "site")) for path in written}
    assert {"index.html", "generator.onnx", "ort/ort.wasm.bundle.min.js", "ort/LICENSE.txt"} <= names
    assert not [name for name in names if name.endswith(".mjs")]


def test_the_page_knows_what_a_width_costs(model: Any, make_model: Callable[..., SlimGAN], tmp_path: Path) -> None:
    generator = make_model().generator
    write_site(model, tmp_path, "Digits", width_facts(generator, {0.5: {"FID": 3.5}}), RUNTIME)
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert [width["width"] for width in facts["widths"]] == list(generator.widths)
    assert facts["widths"][1]["metrics"] == {"FID": 3.5}
    parameters = sum(weight.numel() for weight in generator.slice(1.0).parameters())
    assert facts["widths"][2]["parameters"] == parameters
    assert facts["widths"][2]["bytes"] == 2 * parameters
    assert facts["bytes"] == (tmp_path / "generator.onnx").stat().st_size + len(b"runtime")


def test_a_metric_that_is_no_number_is_left_out(model: Any, make_model: Callable[..., SlimGAN], tmp_path: Path) -> None:
    metrics = {0.25: {"FID": float("nan")}, 0.5: {"FID": float("inf")}, 1.0: {"FID": 2.0}}
    write_site(model, tmp_path, "Digits", width_facts(make_model().generator, metrics), RUNTIME)
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert [width["metrics"]["FID"] for width in facts["widths"]] == [None, None, 2.0]


def test_another_generator_has_another_digest(model: Any, make_model: Callable[..., SlimGAN], tmp_path: Path) -> None:
    digests = []
    for note in ("one", "one", "other"):
        model.doc_string = note
        write_site(model, tmp_path, "Digits", width_facts(make_model().generator), RUNTIME)
        digests.append(json.loads((tmp_path / "facts.json").read_text())["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_a_title_cannot_become_markup(model: Any, make_model: Callable[..., SlimGAN], tmp_path: Path) -> None:
    write_site(model, tmp_path, "<script>alert(1)</script>", width_facts(make_model().generator), RUNTIME)
    page = (tmp_path / "index.html").read_text()
    assert "<script>alert" not in page
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>" in page


def test_no_address_of_another_site_is_in_the_files(
    model: Any, make_model: Callable[..., SlimGAN], tmp_path: Path
) -> None:
    written = write_site(model, tmp_path, "Digits", width_facts(make_model().generator), RUNTIME)
    texts = "".join(path.read_text() for path in written if path.suffix in (".html", ".js", ".css"))
    assert "https://" not in texts
    assert texts.count("http://") == texts.count("http://127.0.0.1:8000") == 1


def test_a_file_in_the_place_of_the_folder_is_told(
    model: Any, make_model: Callable[..., SlimGAN], tmp_path: Path
) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(SlimGANError, match="is a file"):
        write_site(model, tmp_path / "site", "Digits", width_facts(make_model().generator), RUNTIME)
