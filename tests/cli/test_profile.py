"""``slimgan profile``: costs of every width as a table, as JSON and as a picture."""

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, run
from lightning.pytorch import Trainer
from one_batch import OneBatch
from PIL import Image
from sharing import mostly_slow

from slimgan_pl import SlimGAN
from slimgan_pl.cli.configured_model import build_configured_model
from slimgan_pl.models import count_macs, count_parameters
from slimgan_pl.runs.checkpoints import load_model
from slimgan_pl.utils.files import file_sha256

CONFIGS = Path(__file__).parent.parent.parent / "configs"
QUICK = ("--rounds", 1, "--seconds", 0, "--device", "cpu")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def save(here: Path, make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]) -> Callable[..., Path]:
    def save(**settings: Any) -> Path:
        trainer = make_trainer(max_steps=1)
        trainer.fit(make_model(**settings), OneBatch(torch.zeros(6, 1, 8, 8)))
        trainer.save_checkpoint(here / "run" / "last.ckpt")
        return here / "run" / "last.ckpt"

    return save


def profile_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_a_checkpoints_profile_lies_beside_it_and_says_what_it_is_of(save: Callable[..., Path]) -> None:
    path = save()
    run("profile", "--ckpt_path", path, "--batch_sizes", "[1,3]", *QUICK)
    profile = profile_of(path.with_name("last.profile.json"))
    assert profile["checkpoint"] == {"file": "last.ckpt", "sha256": file_sha256(path)}
    assert profile["config"] is None
    assert datetime.fromisoformat(profile["date"]).tzinfo is not None
    assert (profile["device"], profile["threads"]) == ("cpu", 1)
    assert (profile["precision"], profile["form"]) == ("float32", "slice")
    assert profile["processor"]
    assert {"slimgan-pl", "python", "torch"} <= profile["versions"].keys()
    generator = load_model(path).generator
    assert profile["generator"] == {
        "class": "DCGANGenerator",
        "parameters": sum(parameter.numel() for parameter in generator.parameters()),
        "weight_bytes": sum(value.nbytes for value in generator.state_dict().values()),
    }
    assert [row["width"] for row in profile["widths"]] == [0.25, 0.5, 1.0]
    for row in profile["widths"]:
        width = row["width"]
        assert row["parameters"] == count_parameters(generator, width)
        assert row["macs"] == count_macs(generator, width)
        assert row["weight_bytes"] == sum(value.nbytes for value in generator.slice(width).state_dict().values())
        assert [entry["batch_size"] for entry in row["latency"]] == [1, 3]
        for entry in row["latency"]:
            assert 0 < entry["median_s"] <= entry["p95_s"]
            assert entry["images_per_second"] == pytest.approx(entry["batch_size"] / entry["median_s"])
            assert entry["rounds"] >= 1
        assert row["latency"][1]["peak_bytes"] == 3 * row["latency"][0]["peak_bytes"] > 0


def test_a_profile_may_be_made_again_and_elsewhere(save: Callable[..., Path], here: Path) -> None:
    path = save()
    for _ in range(2):
        run("profile", "--ckpt_path", path, "--batch_sizes", 1, *QUICK)
    run("profile", "--ckpt_path", path, "--batch_sizes", 2, "--folded", "true", "--output", "new/one", *QUICK)
    assert {file.name for file in (here / "new" / "one").iterdir()} == {"profile.json", "profile.png"}
    old, new = profile_of(path.with_name("last.profile.json")), profile_of(here / "new/one/profile.json")
    assert (old["form"], new["form"]) == ("slice", "folded")
    for plain, folded in zip(old["widths"], new["widths"], strict=True):
        assert folded["macs"] == plain["macs"]
        assert folded["parameters"] < plain["parameters"]
        assert folded["weight_bytes"] < plain["weight_bytes"]


def test_a_configurations_profile_has_the_papers_sizes_and_needs_no_data(here: Path) -> None:
    run("profile", "--config", CONFIGS / "paper" / "dcgan_cifar10.yaml", "--batch_sizes", 1, *QUICK)
    assert {file.name for file in here.iterdir()} == {"dcgan_cifar10.profile.json", "dcgan_cifar10.profile.png"}
    profile = profile_of(here / "dcgan_cifar10.profile.json")
    assert (profile["config"], profile["checkpoint"]) == ("dcgan_cifar10.yaml", None)
    macs = [row["macs"] / 1e6 for row in profile["widths"]]
    assert macs == pytest.approx([7.00, 26.57, 58.74, 103.48], abs=0.005)
    assert profile["generator"]["parameters"] == 3_813_699


def test_a_configuration_may_lack_the_data_and_the_checkpoint_that_it_names(here: Path) -> None:
    (here / "tiny.yaml").write_text(
        f"{TINY.partition('data:')[0]}\nckpt_path: gone.ckpt\ndata: slimgan_pl.data.ImageFolderDataModule\n"
    )
    assert build_configured_model("tiny.yaml").generator.channels == (8, 8, 8)
    assert build_configured_model(str(CONFIGS / "folder.yaml")).generator.image_size == 64


def test_a_gan_of_one_width_is_shown_with_that_width(save: Callable[..., Path]) -> None:
    path = save(individual=0.5)
    run("profile", "--ckpt_path", path, "--batch_sizes", 1, *QUICK)
    (row,) = profile_of(path.with_name("last.profile.json"))["widths"]
    assert row["width"] == 0.5
    assert row["parameters"] == count_parameters(load_model(path).generator, 1.0)


def test_threads_are_set_for_the_measuring_alone(save: Callable[..., Path]) -> None:
    path = save()
    count = min(os.cpu_count() or 1, 2)
    run("profile", "--ckpt_path", path, "--batch_sizes", 1, "--threads", count, *QUICK)
    assert profile_of(path.with_name("last.profile.json"))["threads"] == count
    assert torch.get_num_threads() == 1


def test_the_table_fits_into_80_characters(
    save: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save()
    monkeypatch.setenv("COLUMNS", "60")
    capsys.readouterr()
    run("profile", "--ckpt_path", path.relative_to(Path.cwd()), "--batch_sizes", "[1,64]", *QUICK)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line.split() for line in lines if line.split()[1:2] in (["0.25"], ["0.5"], ["1"])]
    assert [row[0] for row in rows] == ["1"] * 3 + ["64"] * 3
    assert not any("…" in line for line in lines)
    assert lines[-2:] == ["Profile: run/last.profile.json", "Picture: run/last.profile.png"]


def test_the_picture_is_a_png_of_two_panels(save: Callable[..., Path]) -> None:
    path = save()
    run("profile", "--ckpt_path", path, "--batch_sizes", "[1,8]", *QUICK)
    with Image.open(path.with_name("last.profile.png")) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1.4 * picture.height > 600
        colours = {colour for _, colour in picture.convert("RGB").getcolors(2**20) or ()}
    assert {(76, 120, 168), (245, 133, 24)} <= colours, "a line per batch size"


@mostly_slow("package", ["altair", "vl_convert"])
def test_without_the_packages_for_it_the_picture_alone_is_missing(
    package: str, save: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save()
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "slimgan_pl.profiling.chart", raising=False)
    capsys.readouterr()
    run("profile", "--ckpt_path", path, "--batch_sizes", 1, *QUICK)
    output = capsys.readouterr()
    assert "0.25" in output.out
    assert [line for line in output.err.splitlines() if line] == [
        f'slimgan: warning: there is no picture without {package}; install it with pip install "slimgan-pl[report]"'
    ]
    assert path.with_name("last.profile.json").is_file()
    assert not path.with_name("last.profile.png").exists()
