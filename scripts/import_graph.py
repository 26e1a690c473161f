"""Checks the architecture: imports only go down the floors, without circles. Nothing is imported.

``python scripts/import_graph.py`` from the repository's root prints the graph and exits with 1 if a rule is broken.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

__all__ = ["Arrow", "broken_rules", "find_arrows", "find_circle", "main", "module_files"]

PACKAGE = "slimgan_pl"

FLOORS = (
    ("errors", "_version"),
    ("utils", "layers"),
    ("models", "data"),
    ("evaluation", "profiling", "convert"),
    ("training",),
    ("runs",),
    ("callbacks", "report", "export"),
    ("cli",),
    ("__init__", "__main__"),
)

MAX_NAMES = 17  # modules and packages at the top


class Arrow(NamedTuple):
    """An import: the module that imports, the module that is imported, and the line."""

    source: str
    target: str
    line: int


def module_files(root: Path) -> dict[str, Path]:
    """Return the files of a package by the dotted names of their modules; a package is its ``__init__``."""
    files = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def find_arrows(files: dict[str, Path]) -> list[Arrow]:
    """Return all imports between modules, also those within functions and for type checkers alone."""
    arrows = []
    for source, path in files.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in imported_names(node):
                target = name if name in files else name.rpartition(".")[0]
                if target in files and target != source:
                    arrows.append(Arrow(source, target, getattr(node, "lineno", 0)))
    return arrows


def imported_names(node: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str:
    """Return the package or module at the top that a module belongs to.

    >>> room_of("slimgan_pl.models.dcgan"), room_of("slimgan_pl")
    ('models', '__init__')
    """
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def floor_of(module: str) -> int:
    """Return the number of a module's floor, or -1 if it has none."""
    return next((number for number, rooms in enumerate(FLOORS) if room_of(module) in rooms), -1)


def find_circle(arrows: list[Arrow]) -> list[str]:
    """Return modules that import each other in a circle, or an empty list."""
    imported = defaultdict(set)
    for arrow in arrows:
        imported[arrow.source].add(arrow.target)
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def broken_rules(root: Path) -> list[str]:
    """Return a line for each broken rule of the architecture."""
    files = module_files(root)
    arrows = find_arrows(files)
    names = {room_of(module) for module in files}
    upward = [arrow for arrow in arrows if floor_of(arrow.target) > floor_of(arrow.source)]
    lines = [f"{files[a.source].relative_to(root.parent)}:{a.line} imports {a.target}, which is above" for a in upward]
    lines += [f"{name} is on no floor" for name in sorted(names) if floor_of(f"{PACKAGE}.{name}") < 0]
    if circle := find_circle(arrows):
        lines.append(f"modules import each other: {' -> '.join(reversed(circle))}")
    if len(names) > MAX_NAMES:
        lines.append(f"{len(names)} names at the top, more than {MAX_NAMES}")
    return lines


def main() -> None:
    """Print the graph and what breaks the rules."""
    root = Path(__file__).parents[1] / "src" / PACKAGE
    arrows = find_arrows(module_files(root))
    between = {(room_of(arrow.source), room_of(arrow.target)) for arrow in arrows}
    between = {(source, target) for source, target in between if source != target}
    for rooms in reversed(FLOORS):
        for room in rooms:
            print(f"{room:>10} -> {' '.join(sorted(target for source, target in between if source == room))}")
    print(f"{len(FLOORS)} floors, {len({room for pair in between for room in pair})} rooms, {len(between)} arrows")
    lines = broken_rules(root)
    print("\n".join(lines) or "Imports only go down.")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
