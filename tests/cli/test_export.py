"""``slimgan export`` writes files that generate what the checkpoint generates, or nothing."""

import json
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from commands import fails, run
from sharing import mostly_slow

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export import export_checkpoint, parity
from slimgan_pl.export.folder import filling
from slimgan_pl.export.model_card import write_card
from slimgan_pl.models import load_generator
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint, read_source

WIDTHS = (0.25, 0.5, 0.75, 1.0)


@pytest.fixture
def checkpoint(digits_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkpoint of a tiny run; the working directory is an empty one."""
    monkeypatch.chdir(tmp_path)
    return digits_checkpoint


def card() -> dict[str, Any]:
    result: dict[str, Any] = json.loads(Path("export/model_card.json").read_text())
    return result


@torch.no_grad()
def generate(checkpoint: Path, latents: torch.Tensor, width: float) -> np.ndarray:
    images: np.ndarray = load_model(checkpoint).generator(latents, width=width).numpy()
    return images


def test_without_options_it_is_one_file_with_all_widths(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("export", "--ckpt_path", checkpoint)
    assert sorted(path.name for path in Path("export").iterdir()) == [
        "generator.onnx",
        "model_card.json",
        "model_card.md",
    ]
    session, latents = onnxruntime.InferenceSession("export/generator.onnx"), torch.randn(3, 8)
    for index, width in enumerate(WIDTHS):
        (images,) = session.run(None, {"latents": latents.numpy(), "width": np.array(index)})
        np.testing.assert_allclose(images, generate(checkpoint, latents, width), atol=1e-5)
    assert "generator.onnx" in capsys.readouterr().out
    assert [error["width"] for error in card()["files"][0]["errors"]] == list(WIDTHS)


def test_a_width_of_safetensors_generates_the_same(checkpoint: Path) -> None:
    run("export", "--ckpt_path", checkpoint, "--format", "safetensors", "--width", 0.5, "--fold", "true")
    latents = torch.randn(3, 8)
    images = load_generator("export/generator_0.5.safetensors")(latents)
    np.testing.assert_allclose(images, generate(checkpoint, latents, 0.5), atol=1e-5)
    assert [file["name"] for file in card()["files"]] == ["generator_0.5.safetensors"]


def test_integers_are_told_with_what_they_do_to_the_distance(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--format", "onnx", "--precision", "int8", "--width", 1.0)
    run("export", "--ckpt_path", checkpoint, *options, "--extractor", "digits", "--num_fake", 40)
    (error,) = card()["files"][0]["errors"]
    assert 0 < error["rms"] < error["max_abs"]
    assert error["distance"] > 0
    assert error["distance_change"] != 0
    assert "change" in capsys.readouterr().out


def test_half_precision_is_compared_as_it_is_used(checkpoint: Path) -> None:
    run("export", "--ckpt_path", checkpoint, "--format", "safetensors", "--width", 1.0, "--precision", "float16")
    loaded = load_generator("export/generator_1.safetensors")
    source = torch.Generator().manual_seed(0)
    latents = torch.randn(64, 16, generator=source)[:, :8]  # those that errors are measured on
    with torch.no_grad():
        error = np.abs(loaded(latents.half()).float().numpy() - generate(checkpoint, latents, 1.0)).max()
    assert card()["files"][0]["errors"][0]["max_abs"] == pytest.approx(error, rel=1e-3)


def test_a_checkpoint_that_is_replaced_while_it_is_read_is_told(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(checkpoint, tmp_path / "last.ckpt")

    def read(path: Path) -> Any:
        content = read_checkpoint(path)
        path.write_bytes(path.read_bytes() + b"more")
        return content

    monkeypatch.setattr("slimgan_pl.runs.checkpoints.read_checkpoint", read)
    with pytest.raises(SlimGANError, match="has just been replaced by the run that writes it; export it again"):
        read_source(tmp_path / "last.ckpt")


@pytest.mark.slow
def test_a_plain_gan_of_one_width_is_exported_in_every_format(two_runs: Path, tmp_path: Path) -> None:
    tiny = ("--config", two_runs / "tiny.yaml", "--trainer.max_steps", 1, "--model.evaluator", "null")
    run("fit", *tiny, "--model.individual", 0.5, "--trainer.default_root_dir", tmp_path / "plain")
    checkpoint, latents = next((tmp_path / "plain").rglob("last.ckpt")), torch.randn(3, 8)
    for format_name, name in {"onnx-multi": "generator", "onnx": "generator_1"}.items():
        run("export", "--ckpt_path", checkpoint, "--format", format_name, "--output", tmp_path / format_name)
        session = onnxruntime.InferenceSession(tmp_path / format_name / f"{name}.onnx")
        (images,) = session.run(None, {"latents": latents.numpy()})
        np.testing.assert_allclose(images, generate(checkpoint, latents, 1.0), atol=1e-5)


def names(folder: str = "export") -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*"))


def export_weights(checkpoint: Path, *more: Any) -> None:
    run("export", "--ckpt_path", checkpoint, "--format", "safetensors", *more)


def test_an_earlier_export_is_replaced_and_what_is_not_of_it_stays(checkpoint: Path) -> None:
    export_weights(checkpoint)
    Path("export/notes.txt").write_text("mine")
    export_weights(checkpoint, "--width", 0.5, "--overwrite", "true")
    assert names() == ["generator_0.5.safetensors", "model_card.json", "model_card.md", "notes.txt"]


def test_a_file_of_somebody_else_is_not_replaced(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export_weights(checkpoint, "--width", 1.0)
    Path("export/generator_0.5.safetensors").write_text("mine")
    before = {name: Path("export", name).read_bytes() for name in names()}
    options = ("--format", "safetensors", "--width", 0.5, "--overwrite", "true")
    status, line = fails(capsys, "export", "--ckpt_path", checkpoint, *options)
    assert status == 1
    assert "generator_0.5.safetensors exists and is not of an earlier export" in line
    assert {name: Path("export", name).read_bytes() for name in names()} == before


def test_a_file_that_appears_meanwhile_is_not_replaced(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*given: Any) -> None:
        write_card(*given)
        Path("export").mkdir()
        Path("export/model_card.md").write_text("mine")

    monkeypatch.setattr(export_checkpoint, "write_card", late)
    with pytest.raises(SystemExit):
        export_weights(checkpoint, "--width", 0.5)
    assert names(".") == ["export", "export/model_card.md"]
    assert Path("export/model_card.md").read_text() == "mine"


def fill_export() -> None:
    with filling(Path("export")) as scratch:
        for name in ("a", "b", "c"):
            (scratch / name).write_text("new")
        content = {"checkpoint": {"sha256": ""}, "page": ["a", "b"], "files": [{"name": "c"}]}
        (scratch / "model_card.json").write_text(json.dumps(content))


@mostly_slow("stop", range(1, 4))
@pytest.mark.parametrize("has_export", [False, True])
def test_an_export_that_is_cut_off_can_be_made_again(
    stop: int, has_export: bool, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("export").mkdir()
    if has_export:
        export_weights(checkpoint)
    replace, calls = os.replace, iter(range(1, 9))

    def cut(*given: Any) -> None:
        if next(calls) == stop:
            raise KeyboardInterrupt
        replace(*given)

    monkeypatch.setattr("slimgan_pl.export.folder.os.replace", cut)
    with pytest.raises(KeyboardInterrupt):
        fill_export()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    export_weights(checkpoint, "--width", 0.5, "--overwrite", "true")
    assert names() == ["generator_0.5.safetensors", "model_card.json", "model_card.md"]


def test_a_folder_on_another_disk_is_filled(checkpoint: Path) -> None:
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as other:
        Path("export").symlink_to(other)
        export_weights(checkpoint, "--width", 0.5)
        assert "generator_0.5.safetensors" in os.listdir(other)


def test_a_new_folder_has_the_rights_of_any(checkpoint: Path) -> None:
    Path("any").mkdir()
    export_weights(checkpoint, "--width", 0.5)
    assert Path("export").stat().st_mode == Path("any").stat().st_mode


def test_a_card_that_lists_files_elsewhere_deletes_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "mine").write_text("mine")
    content = {
        "checkpoint": {"sha256": ""},
        "page": [],
        "files": [{"name": "../mine"}, {"name": str(tmp_path / "mine")}],
    }
    (tmp_path / "export" / "model_card.json").write_text(json.dumps(content))
    with filling(tmp_path / "export") as scratch:
        (scratch / "model_card.json").write_text(json.dumps({**content, "files": []}))
        (scratch / "new").write_text("new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "export" / "new").read_text() == "new"


def test_a_full_disk_leaves_nothing_and_is_one_sentence(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_checkpoint, "write_card", full)
    options = ("--format", "safetensors", "--width", 0.5)
    _, line = fails(capsys, "export", "--ckpt_path", checkpoint, *options)
    assert "could not be written to export (No space left on device); make room" in line
    assert not list(Path().iterdir())


def test_images_that_a_precision_ruins_are_told(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parity, "MUCH", 0.0)
    export_weights(checkpoint, "--width", 0.5, "--precision", "float16")
    assert "generates other images than PyTorch at width 0.5" in capsys.readouterr().err


def test_a_file_that_differs_from_pytorch_is_not_written(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parity, "TOLERANCE", 1e-12)
    status, line = fails(capsys, "export", "--ckpt_path", checkpoint)
    assert status == 1
    assert "differs from PyTorch by" in line
    assert not list(Path().iterdir())


def test_without_onnx_the_extra_is_named(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "slimgan_pl.export.ort", raising=False)
    status, line = fails(capsys, "export", "--ckpt_path", checkpoint)
    assert status == 1
    assert 'pip install "slimgan-pl[onnx]"' in line
