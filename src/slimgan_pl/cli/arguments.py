"""Early look at a command line, before Lightning parses it."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.trust import find_names
from slimgan_pl.utils.terminal import fail
from slimgan_pl.utils.yaml_files import read_config

__all__ = ["CommandLine", "as_list", "read_command_line"]

EARLY = {  # options whose values are needed early, by what they are called here
    "config": ("-c", "--config"),
    "ckpt_path": ("--ckpt_path",),
    "root": ("--trainer.default_root_dir",),
    "images": ("--images",),
    "trust": ("--trust_checkpoint",),
}

NULL = ("null", "~")  # take a checkpoint away that a configuration names


class CommandLine(NamedTuple):
    """Settings that are needed before a command line is parsed.

    Attributes:
        ckpt_path: The last checkpoint, or None; ``null`` on the command line takes away that of a configuration file.
        ckpt_config: The configuration file that names this checkpoint, or None.
        root: The last folder of runs, or None.
        images: The folder of images to evaluate, or None; never from a configuration file.
        trusts_checkpoint: Whether the checkpoint may name classes of other packages.
        names: All texts, among them the classes that the user names.
        options: All options.
    """

    ckpt_path: str | None
    ckpt_config: str | None
    root: str | None
    images: str | None
    trusts_checkpoint: bool
    names: set[str]
    options: set[str]

    @property
    def names_data(self) -> bool:
        """Whether a data set, or a configuration, is named."""
        return not self.options.isdisjoint(("--data", "--data.class_path", "--config", "-c"))

    @property
    def runs_nothing(self) -> bool:
        """Whether help or a configuration is printed instead."""
        return not self.options.isdisjoint(("-h", "--help", "--print_config"))


def read_command_line(argv: Sequence[str]) -> CommandLine:
    """Read the options that :class:`CommandLine` holds, also from configuration files.

    A mistake in a file ends the process.

    >>> read_command_line(["--ckpt_path=a.ckpt", "--trainer.default_root_dir", "runs/a"])[:3]
    ('a.ckpt', None, 'runs/a')
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    for name, options in EARLY.items():
        pair: dict[str, Any] = {"type": lambda text, name=name: (name, text), "nargs": "?", "const": ""}
        parser.add_argument(*options, dest="given", action="append", default=[], **pair)
    found: dict[str, str] = {}
    names = {word.partition("=")[2] or word for word in argv}
    for name, text in parser.parse_known_args(argv)[0].given:
        if name != "config":
            found[name] = text
            if name == "ckpt_path":
                found["ckpt_config"] = ""
            continue
        settings = read_settings(text)
        names |= find_names(settings)
        trainer = settings.get("trainer")
        if isinstance(trainer, dict) and trainer.get("default_root_dir"):
            found["root"] = trainer["default_root_dir"]
        if settings.get("ckpt_path") and found.get("ckpt_path") not in NULL:
            found |= {"ckpt_path": settings["ckpt_path"], "ckpt_config": text}
    if found.get("ckpt_path") in NULL:
        del found["ckpt_path"]
    return CommandLine(
        found.get("ckpt_path") or None,
        found.get("ckpt_config") or None,
        found.get("root"),
        found.get("images"),
        found.get("trust", "").lower() == "true",
        names,
        {word.partition("=")[0] for word in argv},
    )


def read_settings(path: str) -> dict[str, Any]:
    """Return a configuration file's settings; mistakes in it end the process."""
    try:
        settings = read_config(Path(path))
    except OSError:  # Lightning's parser names what is wrong with the path
        return {}
    except SlimGANError as error:
        fail(str(error), 2)
    found = settings.get("ckpt_path")
    if found is not None and not isinstance(found, str):
        fail(f"the configuration {path} says ckpt_path: {found}; give the path of a checkpoint", 2)
    return settings


def as_list(value: Any) -> list[Any]:
    """Return a list of one, many or no things."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
