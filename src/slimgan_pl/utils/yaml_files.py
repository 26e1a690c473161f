"""YAML files of settings, in which each key comes once."""

from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.formatting import EXPONENT, spell_out

__all__ = ["PARSER_MODE", "load_yaml", "read_config"]

PARSER_MODE = "checked-yaml"  # jsonargparse's name of `load_yaml`

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_config(path: Path) -> dict[str, Any]:
    """Return the settings of a configuration file.

    Raises:
        SlimGANError: If it holds no settings.
    """
    try:
        settings = load_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise SlimGANError(
            f"the configuration {path} is not UTF-8 text; save it as such, or name another file"
        ) from error
    except yaml.YAMLError as error:
        raise SlimGANError(f"the configuration {path} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise SlimGANError(f"the configuration {path} holds no settings; give lines such as `seed_everything: 1`")
    return settings


def load_yaml(text: str) -> Any:
    """Load YAML as jsonargparse does, if each key comes once.

    Raises:
        YAMLError: If a key comes twice, or the text is not YAML of plain values.
    """
    try:
        check_keys(yaml.compose(text, Loader=Loader), set())
        return get_loader("yaml")(spell_out_numbers(text))
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error
    except ValueError as error:  # a number that Python refuses
        raise yaml.YAMLError(str(error)) from error


def spell_out_numbers(text: str) -> str:
    """Spell out whole numbers such as 1e5, which YAML reads as floats."""
    if not EXPONENT.search(text):
        return text
    for token in reversed(list(yaml.scan(text, Loader=Loader))):
        if isinstance(token, yaml.ScalarToken) and token.plain and EXPONENT.fullmatch(token.value):
            start, end = token.start_mark.index, token.end_mark.index
            text = text[:start] + spell_out(token.value) + text[end:]
    return text


def check_keys(node: yaml.Node | None, seen: set[int]) -> None:
    """Raise a YAMLError for a repeated key or a null byte."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if "\0" in node.value:
        raise yaml.YAMLError(f"a text holds a null byte, in line {node.start_mark.line + 1}")
    keys = set()
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for each in child if isinstance(child, tuple) else (child,):
            check_keys(each, seen)
        if isinstance(child, tuple) and isinstance(child[0], yaml.ScalarNode):
            key = child[0]
            if key.value in keys and key.value != "<<":
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"the key {key.value} comes twice, in line {line}; leave one of them out")
            keys.add(key.value)


set_loader(PARSER_MODE, load_yaml, (yaml.YAMLError,))
