"""Argument parsers made from signatures and docstrings, with argparse alone."""

import inspect
import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

from slimgan_pl.runs.folder import find_checkpoint
from slimgan_pl.utils.formatting import spell_out
from slimgan_pl.utils.terminal import fail

__all__ = ["call_tool", "example_config", "name_kind", "suggest", "tool_parser"]

KINDS = {"bool": "true or false", "float": "a number", "int": "a whole number", "str": "a text", "NoneType": "null"}

NUMBERS = {".nan": "nan", ".inf": "inf", "-.inf": "-inf"}  # YAML's names


class ToolParser(ArgumentParser):
    """Parser that ends with one sentence and status 2."""

    def error(self, message: str) -> NoReturn:
        fail(re.sub(r"^argument (\S+): (?=is )", r"\1 ", message), 2)


def call_tool(function: Callable[..., None], name: str, argv: Sequence[str]) -> None:
    """Call a tool with a command line; mistakes exit with status 2."""
    parser = tool_parser(function, name)
    known = [option for action in parser._actions for option in action.option_strings]
    strange = [word for word in argv if len(word) > 2 and word[:2] == "--" and word.partition("=")[0] not in known]
    if strange:  # before missing ones
        place = argv.index(strange[0])
        parser.error(
            f"unrecognized arguments: {' '.join(argv[place : place + 2])}{suggest(strange[0].partition('=')[0], known)}"
        )
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{suggest(unknown[0].partition('=')[0], known)}")
    settings = {key: expand_home(value) for key, value in vars(arguments).items()}
    if settings.get("ckpt_path"):
        settings["ckpt_path"] = str(find_checkpoint(settings["ckpt_path"]))
    function(**settings)


def expand_home(value: Any) -> Any:
    """Return a path below ``~`` as a whole path, which shells leave behind ``=``."""
    return os.path.expanduser(value) if isinstance(value, str) and value.startswith(("~/", "~\\")) else value


def suggest(word: str, known: Sequence[str]) -> str:
    """Return the question that follows a misspelt word, or nothing.

    >>> suggest("smaple", ["sample", "test"])
    '; did you mean sample?'
    """
    whole = sorted((each for each in known if word and each.startswith(word)), key=len)  # an abbreviation's
    found = whole or get_close_matches(word, known, 1)
    return f"; did you mean {found[0]}?" if found else ""


def example_config() -> str:
    """Return a configuration of this package that is here, or else ``FILE``."""
    here = [*Path("configs").glob("digits.yaml"), *sorted(Path("configs").glob("*.yaml"))]
    return str(here[0] if here else "FILE")


def tool_parser(function: Callable[..., None], name: str) -> ArgumentParser:
    """Return the parser of a tool.

    A parameter ``list[str]`` is positional, the others are options; the docstring's ``Args:`` are their help.
    """
    summary, meanings = read_docstring(inspect.getdoc(function) or "")
    parser = ToolParser(f"slimgan {name}", description=summary, allow_abbrev=False)
    for parameter in inspect.signature(function).parameters.values():
        key, kind, meaning = parameter.name, parameter.annotation, meanings.get(parameter.name, "")
        if kind == list[str]:
            parser.add_argument(key, nargs="+", metavar=key, help=meaning)
            continue
        is_required = parameter.default is parameter.empty
        shown = "required" if is_required else f"default: {format_value(parameter.default)}"
        choices = get_args(kind) if get_origin(kind) is Literal else ("true", "false") if kind is bool else ()
        parser.add_argument(
            f"--{key}",
            type=converter(kind),
            required=is_required,
            default=None if is_required else parameter.default,
            metavar=f"{{{','.join(choices)}}}" if choices else key.upper(),
            help=f"{meaning} ({shown})".replace("%", "%%"),
        )
    return parser


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return the text before a docstring's ``Args:``, and each argument's meaning."""
    about, _, arguments = text.replace("``", "").partition("\nArgs:\n")
    entries = re.split(r"^    (?=\w+: )", arguments.partition("\n\n")[0], flags=re.MULTILINE)[1:]
    parts = [entry.partition(":") for entry in entries]
    return " ".join(about.split()), {name: " ".join(meaning.split()) for name, _, meaning in parts}


def format_value(value: object) -> str:
    """Return a default as the user types it.

    >>> format_value(None), format_value(False), format_value((1, 64))
    ('null', 'false', '[1,64]')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", False: "false", True: "true"}[value]
    return f"[{','.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def converter(kind: Any) -> Callable[[str], Any]:
    """Return the function that converts an argument's text to a type."""

    def convert(text: str) -> Any:
        for each in alternatives(kind):
            try:
                return read_value(text, each)
            except ValueError:
                continue
        raise ArgumentTypeError(f"is {text}; give {' or '.join(map(describe_type, alternatives(kind)))}")

    return convert


def alternatives(kind: Any) -> tuple[Any, ...]:
    """Return a union's types, ``str`` last, or the type itself."""
    is_union = get_origin(kind) is Union or type(kind).__name__ == "UnionType"
    return tuple(sorted(get_args(kind), key=lambda each: each is str)) if is_union else (kind,)


def read_value(text: str, kind: Any) -> Any:
    """Return a text as a value of a type, or raise ValueError."""
    if kind is str:
        return text
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind is int:
        return int(spell_out(text))
    if kind is float:
        return float(NUMBERS.get(text.lower(), text))
    if get_origin(kind) is Literal and text in get_args(kind):
        return text
    if kind is type(None) and text in ("null", "~"):
        return None
    if get_origin(kind) not in (Literal, None) and text[:1] + text[-1:] == "[]":
        return [int(spell_out(part)) for part in text[1:-1].split(",") if part.strip()]
    raise ValueError(text)


def describe_type(kind: Any) -> str:
    """Return a type in a user's words."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    return "a list such as [1, 2]" if get_origin(kind) is not None else name_kind(kind.__name__)


def name_kind(name: str) -> str:
    """Return a type's name in a user's words.

    >>> name_kind("int"), name_kind("Path")
    ('a whole number', 'a Path')
    """
    return KINDS.get(name, f"a {name}")
