"""Options of ``slimgan test`` and ``validate`` that stand for settings of the evaluator."""

from collections.abc import Sequence
from typing import get_args

from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

from slimgan_pl.cli.arguments import options
from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import Protocol
from slimgan_pl.evaluation.protocols import ProtocolName

__all__ = ["add_judging_options", "use_judging_options"]


def add_judging_options(parser: LightningArgumentParser, images: bool) -> None:
    """Add the options to a subcommand's parser; ``images`` says whether it can judge a folder."""
    names = ", ".join(get_args(ProtocolName))
    meaning = f"How many images are judged: {names}; in place of the evaluator's own numbers."
    parser.add_argument("--protocol", type=ProtocolName | None, default=None, help=meaning)
    parser.add_argument(
        "--seeds", type=int | None, default=None, help="Seeds of the latents to average the figures over."
    )
    if images:
        parser.add_argument(
            "--images", type=str | None, default=None, help="Folder of images to judge in place of a net's."
        )


def use_judging_options(config: Namespace, argv: Sequence[str]) -> None:
    """Put the options that were given into the evaluator's settings."""
    given = {name: config.get(name) for name in ("protocol", "seeds") if config.get(name) is not None}
    if not given:
        return
    evaluator = config.model.evaluator
    if evaluator is None:
        raise SlimGANError(f"--{next(iter(given))} needs an evaluator; leave --model.evaluator null out")
    if "protocol" in given:  # whole, but for numbers on the same command line
        named = {option.replace(".init_args.", ".") for option, _ in options(argv)}
        given |= dict.fromkeys(name for name in Protocol._fields if f"--model.evaluator.{name}" not in named)
    for name, value in given.items():
        evaluator.init_args[name] = value
