"""Reading a command line: what has to be known before it is parsed, and mistakes in one line."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lightning.pytorch.cli import LightningArgumentParser

from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.trust import named_in
from slimgan_pl.utils.yaml_files import PARSER_MODE, read_config

__all__ = [
    "OneLineParser",
    "as_list",
    "fail",
    "find_checkpoint",
    "find_option",
    "find_root",
    "named_by_user",
    "names_data",
    "options",
]

MAX_LENGTH = 300  # characters of a message

PLAINER = (  # what jsonargparse says of a value that is of none of several types, and what is left of it
    (r" Given value type: <class '\S*NestedArg'>.*", ""),
    (r" Given value type: .*? Given value:", ". Got value:"),
    (r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: ", ""),
    (r"Type typing\.Callable\[.*?\] expects a function or a callable class: ", ""),
    (r" Got value: Namespace\(.*", ""),
    (r"- Expected a path but .*? either not accessible or invalid ", ""),
    (r" ?- Expected a <class 'NoneType'>", ""),
    (r": (- )+", ": "),
    (r" - Expected ", " or "),
    (r"a typing\.Literal", "one of "),
    (r"a <class '(\S*)'>", r"\1"),
)


class OneLineParser(LightningArgumentParser):
    """Says what is wrong in one line, without the usage that fills a screen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"parser_mode": PARSER_MODE, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:
            super().error(message, ex)
        fail(shorten(message), 2)


def shorten(message: str) -> str:
    """Return a parser's message with the key, the value and what was expected, in few characters."""
    message = " ".join(message.split())
    for pattern, replacement in PLAINER:
        message = re.sub(pattern, replacement, message)
    if len(message) > MAX_LENGTH:
        message = f"{message[: MAX_LENGTH - 105]} ... {message[-100:]}"
    return message


def fail(message: str, status: int) -> NoReturn:
    """Print one sentence and exit."""
    sys.stderr.write(f"slimgan: error: {' '.join(message.split())}\n")  # at once: other processes write there too
    sys.exit(status)


def find_checkpoint(argv: Sequence[str]) -> str | None:
    """Return the last checkpoint that a command line or a configuration file on it names, or None.

    >>> find_checkpoint(["test", "--ckpt_path=a.ckpt"])
    'a.ckpt'
    """
    found = None
    for option, value in options(argv):
        if option == "--ckpt_path":
            found = value
        elif option in ("-c", "--config"):
            found = settings_in(value).get("ckpt_path") or found
    return found or None


def find_root(argv: Sequence[str]) -> str | None:
    """Return the last folder of runs that a command line or a configuration file on it names, or None.

    >>> find_root(["fit", "--trainer.default_root_dir", "runs/a"])
    'runs/a'
    """
    found = None
    for option, value in options(argv):
        if option == "--trainer.default_root_dir":
            found = value
        elif option in ("-c", "--config"):
            trainer = settings_in(value).get("trainer")
            found = (trainer.get("default_root_dir") if isinstance(trainer, dict) else None) or found
    return found


def find_option(argv: Sequence[str], name: str) -> str | None:
    """Return the last value that a command line gives an option, or None.

    >>> find_option(["test", "--images", "a", "--images=b"], "--images")
    'b'
    """
    return next((value for option, value in reversed(list(options(argv))) if option == name), None)


def options(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each word of a command line with the value behind it, after its equals sign or as the next word."""
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        option, is_joined, value = word.partition("=")
        yield option, value if is_joined else following


def named_by_user(argv: Sequence[str]) -> set[str]:
    """Return all texts that a command line and the configuration files on it hold: the classes it names among them."""
    given = {value for _, value in options(argv)}
    files = [settings_in(value) for option, value in options(argv) if option in ("-c", "--config")]
    return given.union(*map(named_in, files))


def names_data(argv: Sequence[str]) -> bool:
    """Return whether a command line names a data set, or a configuration that may."""
    return any(option in ("--data", "--data.class_path", "--config", "-c") for option, _ in options(argv))


def as_list(value: Any) -> list[Any]:
    """Return a list of one, many or no things."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def settings_in(path: str) -> dict[str, Any]:
    """Return what a configuration file says; what is wrong with its content ends the command."""
    try:
        settings = read_config(Path(path))
    except OSError:  # the parser will say what is wrong with the path
        return {}
    except SlimGANError as error:
        fail(str(error), 2)
    found = settings.get("ckpt_path")
    if found is not None and not isinstance(found, str):
        fail(f"the configuration {path} says ckpt_path: {found}; give the path of a checkpoint", 2)
    return settings
