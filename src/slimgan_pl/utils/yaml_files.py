"""YAML as configurations have it: small, of plain values, and with each key once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from slimgan_pl.errors import SlimGANError

__all__ = ["PARSER_MODE", "read_config"]

PARSER_MODE = "checked-yaml"  # jsonargparse's name of `load_yaml`

MAX_VALUES = 100_000  # with each alias counted as often as it is used

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_config(path: Path) -> dict[str, Any]:
    """Return what a configuration file says.

    Raises:
        SlimGANError: If it cannot be read as settings.
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
    """Load YAML as jsonargparse does, once it is known to be harmless.

    Raises:
        YAMLError: If it is not.
    """
    try:
        root = yaml.compose(text, Loader=Loader)
        if root is not None:
            count_values(root, {})
        return get_loader("yaml")(text)
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error
    except yaml.YAMLError:
        raise
    except ValueError as error:  # of numbers that Python does not take
        raise yaml.YAMLError(str(error)) from error


def count_values(node: yaml.Node, known: dict[yaml.Node, int | None]) -> int:
    """Return how many values a node stands for; ``known`` are the counts so far, None of those that are under way.

    Raises:
        YAMLError: If there are too many, or a key comes twice.
    """
    if node not in known:
        known[node] = None
        known[node] = 1 + sum(count_values(child, known) for child in children(node))
    if "\0" in node.value:
        raise yaml.YAMLError(f"a text holds a null byte{where(node)}")
    count = known[node]
    if count is None:
        raise yaml.YAMLError(f"an alias stands for what holds it{where(node)}")
    if count > MAX_VALUES:
        raise yaml.YAMLError(f"its aliases stand for more than {MAX_VALUES:,} values")
    return count


def children(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield the nodes directly below a node."""
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys and key.value != "<<":
                    raise yaml.YAMLError(f"the key {key.value} comes twice{where(key)}; leave one of them out")
                keys.add(key.value)
            yield key
            yield value


def where(node: yaml.Node) -> str:
    return f", in line {node.start_mark.line + 1}" if node.start_mark else ""


set_loader(PARSER_MODE, load_yaml, (yaml.YAMLError,))
