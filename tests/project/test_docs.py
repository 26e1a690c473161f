"""What the documentation says can be typed works, and the site is built of it."""

import inspect
import io
import os
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import wandb
from authors import NETS, discriminator_file, generator_file, reduced
from commands import run
from docs_pages import (
    DIRECTIVES,
    LANGUAGES,
    PAGES,
    ROOT,
    commands,
    inline,
    parse,
    read,
    shrink,
    small_python,
    take_stand_ins,
)
from jsonargparse import ArgumentError, ArgumentParser
from sharing import fill_once, mostly_slow
from standins import write_celeba, write_cifar10

from slimgan_pl import data, evaluation, models
from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.evaluation import DigitsClassifier
from slimgan_pl.evaluation.extractors import make_extractor

PREFIXES = ("model.generator", "model.discriminators", "model.evaluator", "data")
OFTEN = {"README.md"}  # what make test types
RUN = [page for page in PAGES if any(block.language in ("sh", "python") for block in read(page))]


def small_make_extractor(name: str, weights_path: str | None = None) -> Any:
    """Stand in for Inception, whose weights need the network."""
    return DigitsClassifier() if name == "inception" else make_extractor(name, weights_path)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, image_folder: Path) -> Path:
    """Return a folder with all that pages name: configurations, images, data sets, files of others, a trained run."""

    def fill(folder: Path) -> None:
        (folder / "configs").symlink_to(ROOT / "configs")
        (folder / "path" / "to").mkdir(parents=True)
        (folder / "path" / "to" / "images").symlink_to(image_folder)
        write_cifar10(folder / "data")
        write_celeba(folder / "data")
        net = reduced(NETS["resnet32"])
        for name, tensors in {"G": generator_file(net), "D": discriminator_file(net)}.items():
            torch.save(
                {"model_state_dict": tensors, "optimizer_state_dict": {}, "global_step": 0}, folder / f"{name}.pth"
            )
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            type_command(["slimgan", "fit", "--config", "configs/digits.yaml"])

    return fill_once(tmp_path_factory, "world", fill)


@pytest.fixture
def workplace(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a copy of that folder for one page, which is the working directory."""
    shutil.copytree(world, tmp_path / "page", symlinks=True)
    monkeypatch.chdir(tmp_path / "page")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setattr("slimgan_pl.evaluation.evaluator.make_extractor", small_make_extractor)
    yield tmp_path / "page"
    wandb.finish()


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
    """Do what a command does, in this process and small; of a script and of make look only whether it exists.

    Raises:
        LookupError: If it is not known how.
    """
    match words:
        case ["slimgan", *args]:
            run_slimgan(args)
        case ["python", "-m", "slimgan_pl", *args]:
            with importing_from_here():
                run_slimgan(args)
        case ["python", script, *args] if script.startswith(("benchmarks/", "examples/", "scripts/")):
            check_script(script, args)
        case ["make", *targets] if targets:
            rules = [line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines()]
            assert set(targets) <= set(rules)
        case _:
            raise LookupError(f"no test knows how to run {words[0]}; mark the block with what it needs")


def run_slimgan(args: list[str]) -> None:
    """Run the command; what it is given is read as it stands, and made small before anything is built of it."""
    prepare = SlimGANCLI.before_instantiate_classes

    def change(command: SlimGANCLI) -> None:
        name = command.config["subcommand"]
        if name == "fit":
            shrink(command.config[name])
        if name in ("fit", "validate", "test"):
            take_stand_ins(command.config[name])
            prepare(command)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SlimGANCLI, "before_instantiate_classes", change)
        try:
            run(*args)
        except SystemExit as end:
            if end.code:
                raise


def check_script(script: str, args: list[str]) -> None:
    """Fail unless a script exists and takes these arguments."""
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


@pytest.mark.parametrize("page", PAGES)
def test_commands_fit_80_columns(page: str) -> None:
    lines = [line for block in read(page) if block.language == "sh" for line in block.text.splitlines()]
    assert [line for line in lines if len(line) > 80] == []


def help_of(*args: str) -> str:
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", printed)
        with pytest.raises(SystemExit):
            run(*args, "--help")
    return printed.getvalue()


@pytest.fixture(scope="module")
def options() -> set[str]:
    """Return all options: of the commands, of benchmarks, and of the classes that configurations name."""
    listed = re.search(r"{([\w,]+)}", help_of())
    assert listed is not None
    found = {option for name in listed[1].split(",") for option in re.findall(r"--[\w.]+", help_of(name))}
    functions = [runpy.run_path(str(path)).get("main") for path in (ROOT / "benchmarks").glob("*.py")]
    found |= {f"--{name}" for main in functions if main for name in inspect.signature(main).parameters}
    for kind in (models, data, evaluation):
        members = [getattr(kind, name) for name in kind.__all__]
        names = {name for each in members if isinstance(each, type) for name in arguments_of(each)}
        found |= {f"--{prefix}.{name}" for prefix in PREFIXES for name in names}
    return found


def arguments_of(kind: Any) -> list[str]:
    """Return the names of a constructor's arguments."""
    return list(inspect.signature(kind.__init__).parameters)


@pytest.mark.parametrize("page", PAGES)
def test_options_and_files_that_a_page_names_are_there(page: str, options: set[str]) -> None:
    for text in inline(page):
        assert set(re.findall(r"(?<!\S)--[a-z][\w.]*", text)) <= options, text
        for path in re.findall(r"(?<!\S)(?:benchmarks|configs|docs|examples|scripts|tests)/[\w./*]*", text):
            assert list(ROOT.glob(path)), path


@mostly_slow("page", RUN, OFTEN.__contains__)
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
