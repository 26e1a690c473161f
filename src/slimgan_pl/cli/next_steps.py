"""Last lines of the command: paths, and what to type next."""

import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

__all__ = ["next_commands", "paths_table", "shorten_path"]


def shorten_path(path: Path) -> str:
    """Return a path as it is typed from the working directory."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def paths_table(paths: Mapping[str, Path | None]) -> str:
    """Return a line for each path that is there, by its name."""
    return "\n".join(f"{name}: {shorten_path(path)}" for name, path in paths.items() if path is not None)


def next_commands(checkpoint: Path | None, folder: Path, has_evaluator: bool = True) -> str:
    """Return the commands that use a run's files, with explanations."""
    commands = {}
    if checkpoint is not None:
        path = quote(shorten_path(checkpoint))
        commands[f"slimgan sample --ckpt_path {path} --width all --num_images 10"] = "sample every width"
        if has_evaluator:
            commands[f"slimgan test --ckpt_path {path} --seeds 3"] = "evaluate it again, over three seeds"
        commands[f"slimgan profile --ckpt_path {path}"] = "time and memory of every width on this machine"
        commands[f"slimgan export --ckpt_path {path}"] = "one file with every width, for programs without PyTorch"
    commands[f"slimgan report {quote(shorten_path(folder))}"] = "all of it on one page"
    return "\n".join(["Next:", *(f"  {command}\n    {what}" for command, what in commands.items())])
