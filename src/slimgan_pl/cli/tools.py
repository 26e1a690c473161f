"""Subcommands that are plain functions, and take no part in training."""

from collections.abc import Callable
from typing import Any

from slimgan_pl.cli.arguments import OneLineParser
from slimgan_pl.cli.compare import compare
from slimgan_pl.cli.demo import demo
from slimgan_pl.cli.export import export
from slimgan_pl.cli.import_checkpoint import import_checkpoint
from slimgan_pl.cli.profile import profile
from slimgan_pl.cli.recalibrate import recalibrate_checkpoint
from slimgan_pl.cli.report import report
from slimgan_pl.cli.sample import sample

__all__ = ["TOOLS", "add_tools"]

TOOLS: dict[str, Callable[..., None]] = {
    "sample": sample,
    "recalibrate": recalibrate_checkpoint,
    "import": import_checkpoint,
    "compare": compare,
    "profile": profile,
    "report": report,
    "export": export,
    "demo": demo,
}

OF_RUNS: dict[Callable[..., None], str] = {  # tools that take any number of runs, and what those are
    compare: "Folders of runs, or files of results.",
    report: "Folders of runs, such as runs/digits for the newest run in it.",
}


def add_tools(subcommands: Any) -> None:
    """Add a parser for each tool to a parser's subcommands."""
    for name, function in TOOLS.items():
        tool = OneLineParser(description=(function.__doc__ or "").split("\n")[0])
        if function in OF_RUNS:  # jsonargparse would take the first word for the whole list
            tool.add_argument("runs", nargs="+", type=str, help=OF_RUNS[function])
        tool.add_function_arguments(function, as_group=False, skip={"runs"} if function in OF_RUNS else None)
        subcommands.add_subcommand(name, tool, help=tool.description)
