"""Entry point of the ``slimgan`` command: dispatch, signals and errors."""

import os
import sys
import warnings
from argparse import ArgumentParser
from collections.abc import Sequence

from slimgan_pl._version import __version__
from slimgan_pl.cli.commands import COMMANDS
from slimgan_pl.cli.tool_parser import call_tool, example_config, suggest
from slimgan_pl.errors import SlimGANError, lacks_memory
from slimgan_pl.utils.files import describe_os_error, threads_without_traceback
from slimgan_pl.utils.signals import Interrupted, interrupting
from slimgan_pl.utils.terminal import LossyOutput, fail, printing_at_any_price, show_in_one_line, typed_command

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> None:
    """Run the ``slimgan`` command.

    Mistakes of the user end in one sentence and status 1, or 2 for mistakes in the arguments; ``SLIMGAN_DEBUG`` shows
    the traceback.

    Args:
        args: Words of the command line; by default those that the process was started with.
    """
    with printing_at_any_price() as output:
        run(args, output)


def run(args: Sequence[str] | None, output: LossyOutput) -> None:
    """Run the command, or print an error in one sentence and exit."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")  # advice for other programs than this command
            warnings.showwarning = show_in_one_line(warnings.showwarning)
            with interrupting(), threads_without_traceback():
                name = dispatch(args)
        if name != "fit":  # the results of a training are on disk
            output.check()
    except Interrupted as stop:
        sys.stderr.write(f"slimgan: {stop}\n")
        sys.exit(stop.status)
    except (SlimGANError, OSError, RuntimeError, MemoryError) as error:
        is_bug = not isinstance(error, SlimGANError | OSError) and not lacks_memory(error)
        if is_bug or os.environ.get("SLIMGAN_DEBUG"):
            raise
        if lacks_memory(error):
            fail("the memory is too small for these settings; lower the sizes of the nets or of the batches", 1)
        fail(describe_os_error(error) if isinstance(error, OSError) else str(error), 1)


def dispatch(args: Sequence[str] | None) -> str:
    """Run a subcommand, importing only its modules, and return its name."""
    argv = list(sys.argv[1:] if args is None else args)
    name = argv[0] if argv else ""
    if name in ("-h", "--help") or "--version" in argv[:2]:
        help_parser().parse_args(["--version"] if "--version" in argv[:2] else [name])
    elif name.startswith("-"):  # Lightning takes a configuration before the subcommand
        return str(COMMANDS["fit"].load()(args))
    elif name not in COMMANDS:
        problem = f"there is no command {name!r}" if name else "there is no command"
        fail(f"{problem}{suggest(name, list(COMMANDS))}; expected one of {', '.join(COMMANDS)}".replace("?;", "?"), 2)
    elif argv == ["fit"]:  # at once; the parser says the same of options alone
        fail(f"slimgan fit needs a configuration; type {typed_command()} fit --config {example_config()}", 2)
    elif COMMANDS[name].uses_lightning:
        COMMANDS[name].load()(args)
    else:
        call_tool(COMMANDS[name].load(), name, argv[1:])
    return name


def help_parser() -> ArgumentParser:
    """Return a parser for the help of the command alone."""
    parser = ArgumentParser("slimgan", description="Slimmable GANs: train once, run at any width.")
    parser.add_argument("--version", action="version", version=f"slimgan {__version__}")
    subcommands = parser.add_subparsers(title="commands; `slimgan COMMAND --help` lists the options of one")
    for name, command in COMMANDS.items():
        subcommands.add_parser(name, help=command.summary, add_help=False)
    return parser
