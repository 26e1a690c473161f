"""Every command works on nets without norms as on the others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from commands import TINY, fails, run
from PIL import Image
from sharing import fill_once, mostly_slow

from slimgan_pl.models import load_generator as load_file
from slimgan_pl.runs.checkpoint_reader import load_generator
from slimgan_pl.runs.checkpoints import load_model

FAMILIES: dict[str, dict[str, Any]] = {
    "r3": {
        "generator.class_path": "slimgan_pl.models.R3Generator",
        "generator.init_args": "{channels: [8, 8, 8], blocks: 1, group_size: 4, latent_dim: 8, image_channels: 1}",
        "discriminators.class_path": "slimgan_pl.models.R3DiscriminatorBank",
        "discriminators.init_args": "{channels: [4, 4, 4], blocks: 1, group_size: 4, image_channels: 1}",
    },
    "stylegan2": {
        "generator.class_path": "slimgan_pl.models.StyleGAN2Generator",
        "generator.init_args": "{channels: [8, 8, 8], latent_dim: 8, mapping_layers: 1, image_channels: 1}",
        "discriminators.class_path": "slimgan_pl.models.StyleGAN2DiscriminatorBank",
        "discriminators.init_args": "{channels: [4, 4, 4], image_channels: 1}",
    },
}
MORE = ("--model.ema.ramp_up", 0.1, "--model.penalty.gamma", 0.1, "--model.adversarial_loss", "relativistic")


def write_config(folder: Path, family: str) -> Path:
    """Write the tiny configuration with nets of a family."""
    head, _, tail = TINY.partition("  generator:\n")
    nets = []
    for net in ("generator", "discriminators"):
        nets.append(f"  {net}:")
        nets += [f"    {key}: {FAMILIES[family][f'{net}.{key}']}" for key in ("class_path", "init_args")]
    rest = tail[tail.index("  evaluator:") :]
    path = folder / f"{family}.yaml"
    path.write_text("\n".join([head.rstrip("\n"), *nets, rest]))
    return path


@pytest.fixture(scope="session", params=list(FAMILIES))
def family_run(request: pytest.FixtureRequest, own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run of a family; it is only read."""
    family: str = request.param

    def fit(folder: Path) -> None:
        torch.set_num_threads(1)
        config = write_config(folder, family)
        run("fit", "--config", config, "--trainer.default_root_dir", folder / "runs", *MORE)

    return fill_once(tmp_path_factory, f"{family}_run", fit) / "runs" / "version_0"


@pytest.fixture
def checkpoint(family_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the checkpoint of a family's run; the working directory is an empty one."""
    monkeypatch.chdir(tmp_path)
    return family_run / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="session")
def stylegan2_checkpoint(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkpoint of a run of StyleGAN2."""

    def fit(folder: Path) -> None:
        torch.set_num_threads(1)
        config = write_config(folder, "stylegan2")
        run("fit", "--config", config, "--trainer.default_root_dir", folder / "runs", *MORE)

    folder = fill_once(tmp_path_factory, "stylegan2_run", fit)
    return folder / "runs" / "version_0" / "checkpoints" / "last.ckpt"


def test_a_run_ends_with_results_of_every_width(family_run: Path) -> None:
    results = json.loads((family_run / "results.json").read_text())
    assert [row["width"] for row in results["widths"] if row["width"] is not None] == [0.25, 0.5, 0.75, 1.0]
    assert (family_run / "samples.png").is_file()


@mostly_slow(
    ("format", "precision"),
    [
        ("onnx-multi", "float32"),
        ("onnx-multi", "float16"),
        ("onnx", "int8"),
        ("safetensors", "float16"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*generates other images than PyTorch")  # 8 bits, of an untrained net
def test_every_format_holds_every_width(format: str, precision: str, checkpoint: Path) -> None:
    run("export", "--ckpt_path", checkpoint, "--format", format, "--precision", precision)
    card = json.loads(Path("export/model_card.json").read_text())
    errors = [error for file in card["files"] for error in file["errors"]]
    assert [error["width"] for error in errors] == [0.25, 0.5, 0.75, 1.0]
    assert all(error["max_abs"] < {"float32": 1e-4, "float16": 0.1, "int8": 2.1}[precision] for error in errors)
    assert card["evaluation"] is not None


def test_a_folded_file_generates_what_the_checkpoint_does(checkpoint: Path) -> None:
    run("export", "--ckpt_path", checkpoint, "--format", "safetensors", "--fold", "true", "--width", 0.5)
    generator = load_generator(checkpoint)
    inputs = generator.draw_inputs(3)
    with torch.no_grad():
        expected = generator(*inputs, width=0.5)
        images = load_file("export/generator_0.5.safetensors")(*inputs)
    torch.testing.assert_close(images, expected, rtol=0, atol=1e-5)


def test_a_resumed_run_continues_exactly(family_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, "r3" if "r3" in str(family_run) else "stylegan2")
    once = ("fit", "--config", config, *MORE, "--model.evaluator", "null", "--trainer.default_root_dir")
    run(*once, "whole", "--trainer.max_steps", 4)
    run(*once, "parts", "--trainer.max_steps", 2)
    run(*once, "parts", "--trainer.max_steps", 4, "--ckpt_path", "last")
    whole, parts = (load_model(Path(name)).state_dict() for name in ("whole/version_0", "parts"))
    assert all(torch.equal(parts[name], value) for name, value in whole.items())


@mostly_slow("command", ["profile", "report", "test", "individual"], keep=0)
def test_other_commands_work(command: str, family_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = family_run / "checkpoints" / "last.ckpt"
    if command == "profile":
        run("profile", "--ckpt_path", checkpoint, "--output", tmp_path / "profile")
    elif command == "report":
        run("report", family_run, "--output", tmp_path / "report.html")
        assert "0.25" in (tmp_path / "report.html").read_text()
    elif command == "test":
        run("test", "--ckpt_path", checkpoint)
    else:
        config = write_config(tmp_path, "r3" if "r3" in str(family_run) else "stylegan2")
        run("fit", "--config", config, *MORE, "--model.individual", 0.5, "--trainer.default_root_dir", "alone")
        assert load_model(Path("alone")).generator.channels == (4, 4, 4)


# Truncation


def pictures(folder: str) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path), dtype=float) for path in sorted(Path(folder).iterdir())])


@pytest.fixture
def styled(stylegan2_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return stylegan2_checkpoint


def test_truncated_samples_vary_less(styled: Path) -> None:
    for percent in (100, 50, 0):
        to = ("--ckpt_path", styled, "--num_images", 8, "--truncation", percent / 100)
        run("sample", *to, "--output", f"at {percent}")
    varied = [pictures(f"at {percent}").std(axis=0).mean() for percent in (100, 50, 0)]
    assert varied[0] > varied[1] > varied[2] == 0


def test_a_truncated_walk_of_nothing_stands_still(styled: Path) -> None:
    run("walk", "--ckpt_path", styled, "--truncation", 0, "--latents", 2, "--frames", 4, "--output", "walk")
    assert pictures("walk").std(axis=0).max() == 0


@mostly_slow("format", ["onnx-multi", "onnx", "safetensors"])
def test_a_truncated_export_generates_truncated_images_and_says_so(format: str, styled: Path) -> None:
    run("export", "--ckpt_path", styled, "--format", format, "--truncation", 0.7)
    card = json.loads(Path("export/model_card.json").read_text())
    assert card["truncation"] == 0.7
    assert card["evaluation"] is None
    assert "**Truncated**: styles lie at 0.7 of their distance" in Path("export/model_card.md").read_text()
    if format == "onnx-multi":
        generator = load_generator(styled)
        inputs = generator.draw_inputs(3)
        feed = {"latents": inputs.latents.numpy(), "width": np.array(1)}
        images = onnxruntime.InferenceSession("export/generator.onnx").run(None, feed)[0]
        with torch.no_grad():
            np.testing.assert_allclose(images, generator.truncated(0.7)(*inputs, width=0.5).numpy(), atol=1e-5)


def test_truncations_multiply(styled: Path) -> None:
    model = load_model(styled)
    model.truncate(0.5)
    model.truncate(0.5)
    assert model.truncation == 0.25


@pytest.mark.parametrize("command", ["sample", "walk", "export", "demo"])
def test_nets_without_styles_cannot_be_truncated(
    command: str, digits_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, error = fails(capsys, command, "--ckpt_path", digits_checkpoint, "--truncation", 0.7)
    assert status != 0
    assert "a DCGANGenerator has no styles; leave the truncation out" in error


@pytest.mark.parametrize("truncation", [-1, 2, "nan"])
def test_a_truncation_out_of_range_is_refused(
    truncation: Any, styled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, error = fails(capsys, "sample", "--ckpt_path", styled, "--truncation", truncation)
    assert f"the truncation is {float(truncation)}; it has to be" in error


# Mistakes


def test_a_batch_that_holds_no_whole_groups_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, "stylegan2")
    _, error = fails(capsys, "fit", "--config", config, "--data.batch_size", 6, "--model.micro_batches", 2)
    assert (
        "compare groups of 4 images, into which 3 cannot be divided; set --data.batch_size to a multiple of 8" in error
    )


def test_stages_of_nets_with_batch_norms_cannot_be_recomputed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, error = fails(capsys, "fit", "--config", config, "--model.recomputed_stages", 1)
    assert "recomputed_stages needs a generator without batch norms, such as R3Generator" in error


def test_a_side_that_no_schedule_makes_names_the_nearest(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, "r3")
    data = ("--data", "slimgan_pl.data.ImageFolderDataModule", "--data.root", image_folder, "--data.image_channels", 1)
    _, error = fails(capsys, "fit", "--config", config, *data, "--data.image_size", 24)
    assert "R3Generator makes images of 8, 16, 32 and so on; set --data.image_size 16 or 32" in error
