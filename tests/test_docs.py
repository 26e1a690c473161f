"""What the documentation says can be typed works, and the site is built of it."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from authors import NETS, discriminator_file, generator_file, reduced
from commands import run
from docs_pages import (
    DIRECTIVES,
    LANGUAGES,
    PAGES,
    ROOT,
    commands,
    parse,
    read,
    shrink,
    small_python,
    take_stand_ins,
)
from jsonargparse import ArgumentError, ArgumentParser
from standins import write_celeba, write_cifar10

from slimgan_pl.command import SlimGANCLI
from slimgan_pl.evaluation import DigitsClassifier
from slimgan_pl.evaluation.extractors import make_extractor

RUN = [page for page in PAGES if any(block.language in ("sh", "python") for block in read(page))]


def small_make_extractor(name: str, weights_path: str | None = None) -> Any:
    """Stand in for Inception, whose weights need the network."""
    return DigitsClassifier() if name == "inception" else make_extractor(name, weights_path)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, image_folder: Path) -> Path:
    """Return a folder with all that pages name: configurations, images, data sets, files of others, a trained run."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "configs").symlink_to(ROOT / "configs")
    (folder / "path" / "to").mkdir(parents=True)
    (folder / "path" / "to" / "images").symlink_to(image_folder)
    write_cifar10(folder / "data")
    write_celeba(folder / "data")
    net = reduced(NETS["resnet32"])
    for name, tensors in {"G": generator_file(net), "D": discriminator_file(net)}.items():
        torch.save({"model_state_dict": tensors, "optimizer_state_dict": {}, "global_step": 0}, folder / f"{name}.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        type_command(["slimgan", "fit", "--config", "configs/digits.yaml"])
    return folder


@pytest.fixture
def workplace(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that folder for one page, which is the working directory."""
    shutil.copytree(world, tmp_path / "page", symlinks=True)
    monkeypatch.chdir(tmp_path / "page")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setattr("slimgan_pl.evaluation.evaluator.make_extractor", small_make_extractor)
    return tmp_path / "page"


@contextmanager
def importing_from_here() -> Iterator[None]:
    """Find modules in the working directory, as ``python`` does, and forget them afterwards."""
    here = os.getcwd()
    before = set(sys.modules)
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
        for name in set(sys.modules) - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(here):
                del sys.modules[name]


def type_command(words: list[str]) -> None:
    """Do what a command does, in this process and small; of a benchmark and of make look only whether it is there.

    Raises:
        LookupError: If it is not known how.
    """
    match words:
        case ["slimgan", *args]:
            run_slimgan(args)
        case ["python", "-m", "slimgan_pl", *args]:
            with importing_from_here():
                run_slimgan(args)
        case ["python", script, *args] if script.startswith("benchmarks/"):
            check_benchmark(script, args)
        case ["make", *targets] if targets:
            rules = [line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines()]
            assert set(targets) <= set(rules)
        case _:
            raise LookupError(f"no test knows how to run {words[0]}; mark the block with what it needs")


def run_slimgan(args: list[str]) -> None:
    """Run the command; what it is given is read as it stands, and made small before anything is built of it."""

    def change(command: SlimGANCLI) -> None:
        name = command.config["subcommand"]
        if name == "fit":
            shrink(command.config[name])
        if name in ("fit", "validate", "test"):
            take_stand_ins(command.config[name])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SlimGANCLI, "before_instantiate_classes", change)
        try:
            run(*args)
        except SystemExit as end:
            if end.code:
                raise


def check_benchmark(script: str, args: list[str]) -> None:
    """Fail unless a benchmark is there and takes these arguments."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_function_arguments(runpy.run_path(str(ROOT / script))["main"], as_group=False)
    parser.parse_args(args)


@pytest.mark.parametrize(
    "command",
    [
        "slimgan fit --config configs/digits.yaml --model.no_such_option 1",
        "slimgan sample --ckpt_path runs/digits/version_0/checkpoints/no_such_file.ckpt",
        "slimgan no_such_command",
        "python -m slimgan_pl fit --config configs/no_such_file.yaml",
    ],
)
def test_a_command_that_does_not_work_is_found(command: str, workplace: Path) -> None:
    with pytest.raises(SystemExit):
        type_command(command.split())


def test_what_is_not_there_is_found() -> None:
    for command in ("make no_such_target", "python benchmarks/data.py --no_such_option 1", "python benchmarks/none.py"):
        with pytest.raises((AssertionError, ArgumentError, OSError)):
            type_command(command.split())
    with pytest.raises(LookupError, match="mark the block"):
        type_command(["torchrun", "train.py"])


@pytest.mark.parametrize(
    "text", ["<!-- needs: a whim -->\n```sh\nls\n```\n", "<!-- needs: network -->\n\ntext\n\n```sh\nls\n```\n"]
)
def test_a_mark_has_a_known_reason_and_a_block(text: str) -> None:
    with pytest.raises(ValueError, match=r"nothing is known to need|right before"):
        list(parse(text))


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_holds(page: str) -> None:
    unknown = [block for block in read(page) if block.language not in LANGUAGES | DIRECTIVES]
    assert not unknown


@pytest.mark.parametrize("page", RUN)
def test_what_a_page_says_can_be_typed_works(page: str, workplace: Path) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in read(page):
        if block.file is not None:
            Path(block.file).write_text(block.text)
        elif block.language == "python" and block.needs is None:
            with importing_from_here():
                exec(small_python(block, page), names)
        elif block.language == "sh" and block.needs is None:
            for words in commands(block):
                type_command(words)


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


def test_every_page_is_on_the_site_and_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in PAGES[1:]:
        text = (site / page.removeprefix("docs/")).with_suffix(".html").read_text()
        assert not re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=[\"']?(?:https?:)?//", text)
        assert not re.findall(r"<link[^>]*\shref=[\"']?(?:https?:)?//", text)
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text()), style


def test_the_results_page_holds_the_figures_and_stamps_of_each_file(site: Path) -> None:
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


def test_results_hold_no_path_of_a_machine() -> None:
    for file in (ROOT / "docs" / "results").glob("*.json"):
        assert not re.findall(r'"/|\\\\', file.read_text()), file
