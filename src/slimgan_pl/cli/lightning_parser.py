"""Lightning's argument parser with errors in one line."""

import re
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

from slimgan_pl.cli.parser_messages import plain_message
from slimgan_pl.cli.tool_parser import example_config, suggest
from slimgan_pl.utils.formatting import spell_out
from slimgan_pl.utils.terminal import fail
from slimgan_pl.utils.yaml_files import PARSER_MODE

__all__ = ["OneLineParser", "accept_and_ignore"]

TEXTS = re.compile(r"--wandb_run\..*|-c|.*(config|dir|images|path|root)")  # options of names

OF_ONE_START = ("ckpt_path", "trust_checkpoint")  # settings that another run of the same configuration does not share


class OneLineParser(LightningArgumentParser):
    """Parser whose errors are one line, without the usage.

    The help leaves out the options ``hidden``, which are still parsed: old configurations hold them.
    """

    hidden: Collection[str] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"parser_mode": PARSER_MODE, "allow_abbrev": False, **kwargs})

    def parse_args(self, args: Any = None, *rest: Any, **settings: Any) -> Any:
        words = sys.argv[1:] if args is None else args
        return super().parse_args(spell_out_words(words), *rest, **settings)

    def dump(self, namespace: Namespace, *args: Any, **kwargs: Any) -> str:
        """Return settings as text, without those of one start alone."""
        settings = namespace.clone()
        for name in OF_ONE_START:
            settings.pop(name, None)
        return str(super().dump(settings, *args, **kwargs))

    def format_help(self, *rest: Any, **settings: Any) -> str:
        for action in self._actions:
            if action.dest in self.hidden:
                action.help = SUPPRESS  # only now, since jsonargparse leaves such options out of config.yaml
        return super().format_help()

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:
            super().error(message, ex)
        hint = ""
        if option := re.fullmatch(r"[Uu]nrecognized arguments: (-[^ =]*).*", message.strip(), re.DOTALL):
            hint = suggest(option[1], sorted(known_options(self)))
        elif message.startswith("the following arguments are required"):
            hint = f"; give a configuration that has them, such as --config {example_config()}"
        fail(plain_message(message) + hint, 2)


def spell_out_words(words: Sequence[str]) -> list[str]:
    """Return a command line with 1e5 as 100000, which jsonargparse accepts.

    Names of files, folders and runs stay.

    >>> spell_out_words(["--trainer.max_steps", "1e5", "--model.seed=1e3", "--data.root", "1e5"])
    ['--trainer.max_steps', '100000', '--model.seed=1000', '--data.root', '1e5']
    """
    found = []
    for before, word in zip(("", *words), words, strict=False):
        option, is_pair, value = word.rpartition("=")
        is_text = TEXTS.fullmatch(option or before)
        found.append(word if is_text else f"{option}{is_pair}{spell_out(value)}")
    return found


def known_options(parser: ArgumentParser) -> set[str]:
    """Return the options of a parser and its subcommands."""
    found = {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        for child in action.choices.values() if isinstance(action.choices, dict) else ():
            found |= known_options(child)
    return found


def accept_and_ignore(parser: LightningArgumentParser, *names: str) -> None:
    """Let configurations hold settings that a command does not use."""
    for name in names:
        parser.add_argument(f"--{name}", type=Any, default=None, help="Not used.")
