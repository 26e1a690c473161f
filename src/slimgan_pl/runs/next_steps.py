"""Last lines of the command: paths, and what to type next."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

__all__ = ["commands_to_trust", "next_commands", "next_lines", "paths_table", "shorten_path"]


def shorten_path(path: Path) -> str:
    """Return a path as it is typed from the working directory."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def paths_table(paths: Mapping[str, Path | None]) -> str:
    """Return a line for each path that is there, by its name."""
    return "\n".join(f"{name}: {shorten_path(path)}" for name, path in paths.items() if path is not None)


def next_commands(
    checkpoint: Path | None,
    folder: Path,
    has_evaluator: bool = True,
    program: str = "slimgan",
    to_trust: Collection[str] = (),
) -> str:
    """Return the commands that use a run's files, with explanations.

    Args:
        checkpoint: The run's checkpoint, if there is one.
        folder: The run's folder.
        has_evaluator: Whether its net can be evaluated.
        program: What the user types for this command.
        to_trust: Commands that build third-party classes.
    """
    commands = {}
    if checkpoint is not None:
        path = f"--ckpt_path {quote(shorten_path(checkpoint))}"
        commands[f"sample {path} --width all --num_images 10"] = "sample every width"
        if has_evaluator:
            commands[f"test {path} --seeds 3"] = "evaluate it again, over three seeds"
        commands[f"profile {path}"] = "time and memory of every width on this machine"
        commands[f"export {path}"] = "one file with every width, for programs without PyTorch"
    commands[f"report {quote(shorten_path(folder))}"] = "all of it on one page"
    return next_lines(commands, program, to_trust)


def next_lines(commands: Mapping[str, str], program: str, to_trust: Collection[str] = ()) -> str:
    """Return commands as they are typed, each with its explanation below."""
    lines = ["Next:"]
    for command, what in commands.items():
        trust = " --trust_checkpoint true" if command.split()[0] in to_trust else ""
        lines += [f"  {program} {command}{trust}", f"    {what}"]
    return "\n".join(lines)


def commands_to_trust(model: Mapping[str, Any], data: Mapping[str, Any] | None) -> set[str]:
    """Return the commands that build third-party classes of a checkpoint.

    Args:
        model: Its settings of the model.
        data: Its settings of the data.
    """
    from slimgan_pl.runs.trust import find_untrusted  # PyTorch

    nets = {**model, "evaluator": None}
    built = {"sample": {"generator": model["generator"]}, "test": [model, data]}
    built |= dict.fromkeys(("profile", "export", "report"), nets)
    return {command for command, settings in built.items() if list(find_untrusted(settings))}
