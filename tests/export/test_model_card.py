"""A card tells what lies beside it, and what it tells can be counted and run."""

import importlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import yaml
from commands import TINY, run
from exports import all_widths, one_file, one_width
from markdown_it import MarkdownIt
from safetensors import safe_open
from seasoned import seasoned

from slimgan_pl.export.card_markdown import make_markdown, make_snippets
from slimgan_pl.export.exported_file import ExportedFile, WidthError, describe_file
from slimgan_pl.export.frechet import prepare_comparison
from slimgan_pl.export.model_card import make_card, write_card
from slimgan_pl.export.web import onnxruntime_web
from slimgan_pl.export.web.page import write_page
from slimgan_pl.models import DCGANDiscriminatorBank, SlimmableGenerator, load_generator, save_generator
from slimgan_pl.runs.checkpoints import Source, build_model, read_source
from slimgan_pl.runs.training_summary import about_training
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.files import file_sha256

WIDTHS = (0.25, 0.5, 0.75, 1.0)

RUNTIME = Path(__file__).parents[2] / "runtime" / "src"

ERRORS = tuple(WidthError(width, 1e-6, 1e-7, 12.0 + width, -0.01) for width in WIDTHS)

MULTI = ExportedFile("generator.onnx", "onnx-multi", "float32", WIDTHS, False, 20_000, "ab" * 32, ERRORS)

TENSORS = {"float32": "float"}  # as ONNX Runtime calls it

PROVENANCE = {
    "protocol": {"data": "digits-test-0", "real_split": "test", "num_real": 450, "num_fake": 60, "seeds": [0]},
    "extractor": {"name": "digits"},
    "device": "cpu",
    "versions": {"torch": "2.9"},
    "pytorch": [{"width": width, "distance": 12.01 + width} for width in WIDTHS],
}


@pytest.fixture(scope="module")
def source(digits_checkpoint: Path) -> Source:
    return read_source(digits_checkpoint)


@pytest.fixture(scope="module")
def card(source: Source) -> dict[str, Any]:
    return make_card(source, [MULTI], PROVENANCE)


def tables(text: str) -> list[list[list[str]]]:
    """Return the rows of each table, the head first, as a parser of Markdown finds them."""
    found: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and token.level > 2 and found:
            found[-1][-1].append(token.content)
    return found


def blocks(text: str, language: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(text)
    return [token.content for token in tokens if token.type == "fence" and token.info == language]


def variant(digits_checkpoint: Path, path: Path, **settings: Any) -> Path:
    """Write an untrained checkpoint with other settings of the model."""
    content = torch.load(digits_checkpoint, weights_only=True)
    hyper = {**content["hyper_parameters"], **settings}
    named = {key: value for key, value in hyper.items() if not key.startswith("_")}
    weights = build_model(named, path).state_dict()
    torch.save({**content, "hyper_parameters": hyper, "state_dict": weights}, path)
    return path


def written(folder: Path, generator: SlimmableGenerator, source: Source, files: Sequence[ExportedFile]) -> str:
    """Write a card for a generator of another kind than the checkpoint's and return its Markdown."""
    size, classes = generator.image_size, generator.num_classes
    channels = (4,) * (size // 4).bit_length()
    bank = DCGANDiscriminatorBank(
        channels, image_channels=generator.image_channels, num_branches=len(generator.widths), num_classes=classes
    )
    write_card(folder, source._replace(model=SlimGAN(generator, bank)), files)
    return (folder / "model_card.md").read_text()


def test_the_json_holds_independent_counts(card: dict[str, Any]) -> None:
    for row, width in zip(card["widths"], WIDTHS, strict=True):
        c = round(8 * width)  # channels of all three stages, from 4x4 to 16x16 pixels, after 8 latents
        stem, image = (8 + 1) * 16 * c, (9 * c) + 1
        block, norm = (16 * c + 1) * c, 2 * c
        assert row["width"] == width
        assert row["parameters"] == stem + 2 * (block + norm) + image
        assert row["weight_bytes"] == 4 * (row["parameters"] + 2 * norm) + 2 * 8  # means, variances; batches seen
        assert row["macs"] == 8 * 16 * c + 16 * c * c * (4 * 4 + 8 * 8) + 9 * c * 16 * 16


def test_the_markdown_has_a_row_per_width_with_the_metrics_of_the_run(
    card: dict[str, Any], digits_checkpoint: Path
) -> None:
    widths = tables(make_markdown(card))[0]
    evaluated = json.loads((digits_checkpoint.parent.parent / "results.json").read_text())
    assert widths[0][4] == "FID (digits) ↓"
    assert len(widths) == 1 + len(WIDTHS)
    for row, width, result in zip(widths[1:], WIDTHS, evaluated["widths"], strict=True):
        assert float(row[0]) == width
        assert int(row[1].replace(",", "")) == result["parameters"]
        assert float(row[4]) == pytest.approx(result["fid_digits"], rel=1e-3)


def test_the_markdown_tells_of_each_file_its_size_checksum_and_errors(card: dict[str, Any]) -> None:
    text = make_markdown(card)
    _, files, agreement, _ = tables(text)
    assert files[1] == ["`generator.onnx`", "ONNX, all widths", "float32", "0.25 0.5 0.75 1", "no", "20 kB"]
    assert agreement[0][-2:] == ["Fréchet distance (digits)", "change"]
    assert agreement[2] == ["`generator.onnx`", "0.5", "1e-06", "1e-07", "12.5", "-0.01"]
    assert len(agreement) == 1 + len(WIDTHS)
    assert f"{'ab' * 32}  generator.onnx\n" in text
    assert "num fake 60" in text


def test_distances_are_left_out_where_none_was_measured(source: Source) -> None:
    plain = describe_unmeasured()
    text = make_markdown(make_card(source, [plain]))
    assert tables(text)[2][0] == ["file", "width", "largest error", "RMS error"]
    assert "Fréchet" not in text
    none = ExportedFile("generator.onnx", "onnx", "float32", (1.0,), True, 1, "c" * 64)
    assert "Agreement" not in make_markdown(make_card(source, [none]))


def describe_unmeasured() -> ExportedFile:
    errors = tuple(WidthError(width, 1e-6, 1e-7) for width in WIDTHS)
    return ExportedFile("generator.onnx", "onnx-multi", "float32", WIDTHS, False, 20_000, "ab" * 32, errors)


def test_the_files_that_are_written_are_the_card(digits_checkpoint: Path, source: Source, tmp_path: Path) -> None:
    card = write_card(tmp_path, source, [MULTI], PROVENANCE)
    read = json.loads((tmp_path / "model_card.json").read_text())
    assert read == card
    assert (tmp_path / "model_card.md").read_text() == make_markdown(read)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model_card.json", "model_card.md"]
    assert read["files"][0] == json.loads(json.dumps(MULTI.to_json()))
    provenance = {"file": "last.ckpt", "sha256": file_sha256(digits_checkpoint), "weights": "raw"}
    assert read["checkpoint"] == provenance


def test_a_card_names_no_folder_of_the_machine(card: dict[str, Any], digits_checkpoint: Path) -> None:
    content = torch.load(digits_checkpoint, weights_only=True)
    text = json.dumps(card) + make_markdown(card)
    assert str(digits_checkpoint.parent) not in text
    assert content["run"]["settings"]["trainer"]["default_root_dir"] not in text


def test_training_is_told_with_the_settings_that_matter(card: dict[str, Any]) -> None:
    told = card["training"]
    assert (told["iterations"], told["data"]["name"]) == (4, "Digits")
    assert told["settings"]["distill_weight"] == 7
    assert told["settings"]["generator_optimizer"] == "Adam, lr 0.0002, betas 0.5 0.999"
    assert told["cost"]["macs"] > 0
    text = make_markdown(card)
    for line in ("- Iterations: 4\n", "- Distill target: next\n", "- Batch size: 8\n", "- Adversarial loss: hinge\n"):
        assert line in text


GAMMA = {"gamma": 0.0, "images": "both"}

TRANSFORMS = {"transforms": ["flip"], "p": 0.0, "target": None}


@pytest.mark.parametrize(
    ("name", "settings", "schedules", "told"),
    [
        ("penalty", GAMMA, {}, None),
        ("penalty", GAMMA, {"gamma": {"end": 0.5}}, "gamma 0.0, images both"),
        ("augmentation", TRANSFORMS, {}, None),
        ("augmentation", TRANSFORMS, {"p": {"end": 0.5}}, "transforms flip, p 0.0"),
        ("augmentation", {**TRANSFORMS, "target": 0.6}, {}, "transforms flip, p 0.0, target 0.6"),
        ("augmentation", {"transforms": [], "p": 1.0}, {"p": None}, None),
        ("ema", {"half_life": None, "ramp_up": None}, {}, None),
        (
            "generator_optimizer",
            {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.0, "momentum": 0.0}},
            {"lr": {"end": 0.5}},
            "SGD, lr 0.0",
        ),
    ],
)
def test_a_setting_of_zero_is_told_where_training_moves_it(
    name: str, settings: Any, schedules: Any, told: str | None
) -> None:
    content = {"global_step": 1, "hyper_parameters": {name: settings, "schedules": schedules}}
    assert about_training(content)["settings"].get(name) == told


def test_a_cost_that_does_not_cover_all_iterations_is_not_told(digits_checkpoint: Path) -> None:
    content = torch.load(digits_checkpoint, weights_only=True)
    assert about_training(content)["cost"] is not None
    assert about_training({**content, "global_step": 5})["cost"] is None


def test_a_card_without_evaluation_says_so_and_how_to(digits_checkpoint: Path, tmp_path: Path) -> None:
    path = variant(digits_checkpoint, tmp_path / "the other's.ckpt")
    card = make_card(read_source(path), [MULTI])
    assert card["evaluation"] is None
    text = make_markdown(card)
    assert "**Not evaluated**" in text
    (command,) = blocks(text, "sh")
    assert shlex.split(command) == ["slimgan", "test", "--ckpt_path", "the other's.ckpt"]
    assert len(tables(text)[0]) == 1 + len(WIDTHS)
    assert "FID" not in text


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the last checkpoint of a plain GAN with the channels of one width, which was evaluated."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "tiny.yaml").write_text(TINY)
    run("fit", "--config", folder / "tiny.yaml", "--trainer.default_root_dir", folder, "--model.individual", 0.5)
    return next(folder.rglob("last.ckpt"))


def test_a_net_that_was_trained_alone_is_called_as_its_files_are(alone: Path, tmp_path: Path) -> None:
    run("export", "--ckpt_path", alone, "--format", "safetensors", "--output", tmp_path / "export")
    card = json.loads((tmp_path / "export" / "model_card.json").read_text())
    text = (tmp_path / "export" / "model_card.md").read_text()
    evaluated = json.loads((alone.parent.parent / "results.json").read_text())
    (file,) = card["files"]
    with safe_open(tmp_path / "export" / file["name"], framework="pt") as weights:
        inside = json.loads(weights.metadata()["slimgan"])["widths"]
    assert file["name"] == "generator_1.safetensors"
    assert inside == file["widths"] == card["generator"]["widths"] == [1.0]
    assert [row["width"] for row in card["widths"]] == [row["width"] for row in card["evaluation"]["widths"]] == [1.0]
    assert [row["width"] for row in evaluated["widths"]] == [0.5]
    row = tables(text)[0][1]
    assert row[0] == "1"
    assert float(row[4]) == pytest.approx(evaluated["widths"][0]["fid_digits"], rel=1e-3)
    assert "trained alone at width 0.5 of the configured channels" in text
    assert "distill_weight" not in card["training"]["settings"]
    assert card["title"] == "Generator of Digits, 16x16 pixels"


def test_a_page_of_a_net_that_was_trained_alone_has_its_metrics(alone: Path, tmp_path: Path) -> None:
    source = read_source(alone)
    runtime = dict.fromkeys(onnxruntime_web.FILES, b"")
    write_page(tmp_path, source, all_widths("one width"), runtime)
    evaluated = json.loads((alone.parent.parent / "results.json").read_text())
    (width,) = json.loads((tmp_path / "facts.json").read_text())["widths"]
    assert width["metrics"] == {"FID (digits)": evaluated["widths"][0]["fid_digits"]}


def test_what_was_read_stands_whatever_becomes_of_the_file(digits_checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(digits_checkpoint.parent.parent, tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    source, digest = read_source(path), file_sha256(path)
    path.write_bytes(b"another")
    card = make_card(source, [MULTI])
    assert card["checkpoint"]["sha256"] == digest
    assert card["training"]["iterations"] == 4
    assert card["evaluation"]["checkpoint"]["sha256"] == digest
    runtime = dict.fromkeys(onnxruntime_web.FILES, b"")
    write_page(tmp_path / "page", source, all_widths("one width"), runtime)
    facts = json.loads((tmp_path / "page" / "facts.json").read_text())
    assert all(width["metrics"] for width in facts["widths"])
    path.unlink()
    comparison = prepare_comparison(source, "digits", num_fake=10)
    assert comparison.compare({("same", 1.0): lambda z, _, width: source.model.generator(z, width=width)}).found


def test_a_checkpoint_that_says_little_has_a_card(digits_checkpoint: Path, tmp_path: Path) -> None:
    content = torch.load(digits_checkpoint, weights_only=True)
    kept = {name: value for name, value in content.items() if not name.startswith("datamodule") and name != "run"}
    nets = ("generator", "discriminators")
    settings = {name: value for name, value in content["hyper_parameters"].items() if name in nets}
    torch.save({**kept, "callbacks": {}, "hyper_parameters": settings}, tmp_path / "x.ckpt")
    text = make_markdown(make_card(read_source(tmp_path / "x.ckpt"), [MULTI]))
    assert "# Slimmable generator, 16x16 pixels" in text
    assert "- Data: not recorded" in text


def test_metrics_that_are_no_numbers_leave_valid_json(digits_checkpoint: Path, tmp_path: Path) -> None:
    results = json.loads((digits_checkpoint.parent.parent / "results.json").read_text())
    results["widths"][0]["fid_digits"] = float("nan")
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    path.write_bytes(digits_checkpoint.read_bytes())
    (tmp_path / "run" / "results.json").write_text(json.dumps(results))
    write_card(tmp_path, read_source(path), [MULTI])

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads((tmp_path / "model_card.json").read_text(), parse_constant=refuse)
    rows = tables((tmp_path / "model_card.md").read_text())[0]
    assert rows[1][4] == ""
    assert float(rows[2][4]) > 0


def test_the_front_matter_is_what_a_hub_reads_and_claims_no_licence(card: dict[str, Any]) -> None:
    _, front, text = make_markdown(card).split("---\n", 2)
    about = yaml.safe_load(front)
    assert about["library_name"] == "slimgan-pl"
    assert about["pipeline_tag"] == "unconditional-image-generation"
    assert "onnx" in about["tags"]
    assert "license" not in about
    assert text.count("\n# ") == 1


def run_block(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(code, "model_card.md", "exec"), names)
    return names


def block_with(text: str, words: str) -> str:
    return next(code for code in blocks(text, "python") if words in code)


def test_the_block_for_onnx_runtime_generates_the_generators_images(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = seasoned("switchable dcgan")
    path = tmp_path / "generator.onnx"
    path.write_bytes(one_file("switchable dcgan"))
    file = describe_file(path, "onnx-multi", "float32", generator.widths, folded=False)
    text = written(tmp_path, generator, source, [file])
    assert (file.bytes, file.sha256) == (path.stat().st_size, file_sha256(path))
    assert "pipeline_tag" not in text  # it is not unconditional
    names = run_block(block_with(text, "import onnxruntime"), tmp_path, monkeypatch)
    inputs = {name: torch.from_numpy(np.asarray(value)) for name, value in names["inputs"].items()}
    expected = generator.eval()(inputs["latents"], inputs["labels"], width=0.5)
    np.testing.assert_allclose(names["images"], expected.detach().numpy(), atol=1e-5)
    assert names["pixels"].dtype == np.uint8
    assert_runtime_generates(text, names["images"].shape, tmp_path, monkeypatch)


def assert_runtime_generates(text: str, shape: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the block for slimgan-runtime, where that lies in the repository."""
    if RUNTIME.is_dir():
        monkeypatch.syspath_prepend(RUNTIME)
        assert run_block(block_with(text, "slimgan_runtime"), folder, monkeypatch)["images"].shape == shape


def test_the_blocks_for_files_of_one_width_run(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = seasoned("dcgan")
    (tmp_path / "generator_0.25.onnx").write_bytes(one_width("dcgan", 0.25))
    save_generator(generator.slice(0.25), tmp_path / "generator_0.25.safetensors", 0.25)
    formats: tuple[Any, ...] = ("onnx", "safetensors")
    files = [
        describe_file(tmp_path / f"generator_0.25.{name}", name, "float32", (0.25,), folded=name == "onnx")
        for name in formats
    ]
    text = written(tmp_path, generator, source, files)
    names = run_block(block_with(text, "import onnxruntime"), tmp_path, monkeypatch)
    loaded = load_generator(tmp_path / "generator_0.25.safetensors")
    expected = loaded(torch.from_numpy(names["inputs"]["latents"])).detach().numpy()
    np.testing.assert_allclose(names["images"], expected, atol=1e-5)
    assert run_block(block_with(text, "import torch"), tmp_path, monkeypatch)["images"].shape == expected.shape
    assert_runtime_generates(text, expected.shape, tmp_path, monkeypatch)


@pytest.mark.parametrize("convert", [torch.Tensor.float, torch.Tensor.half])
def test_the_block_for_a_file_of_all_widths_runs_in_its_precision(
    convert: Callable[[torch.Tensor], torch.Tensor], source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = seasoned("sliceable resnet")
    dtype = convert(torch.zeros(1)).dtype
    path = tmp_path / "generator.safetensors"
    save_generator(generator.to(dtype), path)
    precision: Any = str(dtype).removeprefix("torch.")
    text = written(
        tmp_path, generator.float(), source, [describe_file(path, "safetensors", precision, generator.widths, False)]
    )
    names = run_block(block_with(text, "import torch"), tmp_path, monkeypatch)
    assert names["images"].dtype == dtype
    assert names["images"].shape == (8, 3, 8, 8)


def test_a_generator_of_ones_own_is_imported_and_named(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets_of_a_user.py").write_text(
        "from slimgan_pl.models import DCGANGenerator\n\nclass Mine(DCGANGenerator):\n    own = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    generator = importlib.import_module("nets_of_a_user").Mine((8, 8, 8), latent_dim=8, image_channels=1)
    path = tmp_path / "generator_0.5.safetensors"
    save_generator(generator.slice(0.5), path, 0.5)
    text = written(tmp_path, generator, source, [describe_file(path, "safetensors", "float32", (0.5,), folded=False)])
    names = run_block(block_with(text, "import torch"), tmp_path, monkeypatch)
    assert names["generator"].own
    assert names["images"].shape == (8, 1, 16, 16)


@pytest.mark.parametrize("net", ["dcgan", "switchable dcgan"])
def test_inputs_are_those_of_an_onnx_file(net: str, source: Source, tmp_path: Path) -> None:
    generator = seasoned(net)
    (tmp_path / "generator.onnx").write_bytes(one_file(net))
    (tmp_path / "generator_1.onnx").write_bytes(one_width(net, 1.0))
    formats: dict[str, tuple[Any, Sequence[float]]] = {
        "generator.onnx": ("onnx-multi", generator.widths),
        "generator_1.onnx": ("onnx", (1.0,)),
        "generator_1.onnx ": ("onnx-multi", (1.0,)),  # what all widths of a net with one are
    }
    for name, (format_name, widths) in formats.items():
        path = tmp_path / name.strip()
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        text = written(tmp_path, generator, source, [describe_file(path, format_name, "float32", widths, folded=True)])
        rows = [row for row in tables(text)[2][1:] if row[0] == "input"]
        assert [row[1].strip("`") for row in rows] == [each.name for each in session.get_inputs()]
        assert [f"tensor({TENSORS.get(row[2], row[2])})" for row in rows] == [
            each.type for each in session.get_inputs()
        ]
        assert "Of the ONNX files;" in text


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_inputs_of_safetensors_are_those_of_pytorchs_generator(precision: Any, source: Source) -> None:
    widths = source.model.generator.widths
    files = [ExportedFile(f"{width}", "safetensors", precision, (width,), True, 1, "c" * 64) for width in widths]
    card = make_card(source, files)
    assert [(value["name"], value["dtype"]) for value in card["inputs"]] == [("latents", precision)]
    assert [(value["name"], value["dtype"]) for value in card["outputs"]] == [("images", precision)]
    text = make_markdown(card)
    assert "Of `forward(latents, labels=None)` of the generator that `load_generator` returns;" in text
    assert "ONNX files" not in text


def test_a_float32_file_is_shown_before_others() -> None:
    net = {"num_classes": 0, "latent_dim": 3, "image_channels": 1, "image_size": 4}
    names = {
        "a.onnx": ("int8", 1.0),
        "b.onnx": ("float32", 0.5),
        "c.onnx": ("float32", 1.0),
        "d.onnx": ("float16", 1.0),
    }
    files = [
        {"name": name, "kind": "onnx", "precision": precision, "widths": [w]} for name, (precision, w) in names.items()
    ]
    assert all('"c.onnx"' in code for _, code in make_snippets({"generator": net, "files": files}))


@pytest.mark.slow
def test_everything_is_imported_without_onnx() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['onnx', 'onnxruntime', 'onnxscript']))\n"
        "from slimgan_pl.export import export_checkpoint, model_card\n"
        "print(model_card.find_versions().keys() >= {'torch'})"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"True\s*", result.stdout)
