"""A format is one module and one name in a list; everything else takes it from there."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from slimgan_pl.cli.export import export
from slimgan_pl.errors import SlimGANError
from slimgan_pl.export import formats
from slimgan_pl.export.formats.registry import load_format, make_format

TOY = '''
import torch

from slimgan_pl.export.formats.base import Format, Written


class ToyFormat(Format):
    """The state of a slice, as torch saves it."""

    name = "toy"
    title = "toy, one width"
    tag = "toy-tag"
    taker = "the toy"
    interface = "toy"
    extra = "toys"
    modules = ("toy_library",)
    snippets = (("With toys:", "play('{{ file.name }}', {{ count }})\\n"),)
    error = 0.0

    def write(self, source, widths, folder):
        for width in widths:
            path = folder / f"generator_{width:g}.toy"
            torch.save(source.model.generator.slice(width).state_dict(), path)
            yield Written(path, (width,))

    def load(self, written, generator):
        net = generator.slice(*written.widths).eval()
        net.load_state_dict(torch.load(written.path))
        return lambda latents, labels, width: net(latents, labels) + self.error


FORMAT = ToyFormat
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add the module and the name of a format, and a library for its extra; the working directory is an empty one."""
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "toy_library.py").touch()
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, "toy"))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield
    for name in ("slimgan_pl.export.formats.toy", "toy_library"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("toy")
def test_a_format_of_one_module_is_exported_compared_and_listed(
    digits_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(str(digits_checkpoint), format="toy", width=0.5)  # type: ignore[arg-type]
    assert sorted(os.listdir("export")) == ["generator_0.5.toy", "model_card.json", "model_card.md"]
    card = json.loads(Path("export/model_card.json").read_text())
    (file,) = card["files"]
    assert (file["kind"], file["widths"], file["folded"]) == ("toy", [0.5], False)
    assert [(error["width"], error["max_abs"] < 1e-6) for error in file["errors"]] == [(0.5, True)]
    text = Path("export/model_card.md").read_text()
    for part in ("| toy, one width |", "- toy-tag\n", "play('generator_0.5.toy', 8)", "Of the toy;"):
        assert part in text
    assert "onnx" not in text.lower().partition("## provenance")[0]
    assert "generator_0.5.toy" in capsys.readouterr().out


@pytest.mark.usefixtures("toy")
def test_a_file_of_the_format_that_differs_from_pytorch_is_not_written(
    digits_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_format("toy"), "error", torch.tensor(0.01), raising=False)
    with pytest.raises(SlimGANError, match=r"generator_0\.5\.toy differs from PyTorch by 1\.0e-02 at width 0\.5"):
        export(str(digits_checkpoint), format="toy", width=0.5)  # type: ignore[arg-type]
    assert not os.listdir()


@pytest.mark.usefixtures("toy")
def test_without_its_extra_a_format_is_refused(digits_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "toy_library.py").unlink()
    with pytest.raises(
        SlimGANError, match=r'^--format toy needs toy_library; install it with pip install "slimgan-pl\[toys\]"$'
    ):
        export(str(digits_checkpoint), format="toy")  # type: ignore[arg-type]
    assert not os.listdir()


@pytest.mark.usefixtures("toy")
def test_settings_that_do_not_go_with_a_format_name_those_that_do() -> None:
    with pytest.raises(SlimGANError, match="--format toy cannot hold float16; take --format safetensors or onnx or"):
        make_format("toy", "float16")
    with pytest.raises(SlimGANError, match="leave --width out, or take --format safetensors or onnx or toy"):
        make_format("onnx-multi", "float32", 0.5)
    with pytest.raises(SlimGANError, match="--fold is for --format safetensors; leave it out"):
        make_format("toy", "float32", fold=True)
    with pytest.raises(SlimGANError, match="--format is 'toys'; choose one of safetensors, onnx, onnx-multi, web, toy"):
        make_format("toys", "float32")


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_says_what_a_card_asks_for(name: str) -> None:
    chosen = load_format(name)
    assert chosen.name == name
    assert "float32" in chosen.precisions
    assert chosen.snippets
    assert all((chosen.title, chosen.tag, chosen.taker, chosen.interface))
    assert bool(chosen.extra) == bool(chosen.modules)
