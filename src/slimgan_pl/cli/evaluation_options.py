"""Short options of ``slimgan test`` and ``validate`` for settings of the evaluator."""

from collections.abc import Collection
from typing import get_args

from jsonargparse import Namespace
from lightning.pytorch.cli import LightningArgumentParser

from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import Protocol
from slimgan_pl.evaluation.protocols import ProtocolName
from slimgan_pl.utils.weights import Weights

__all__ = ["IMAGES_HELP", "add_evaluation_options", "use_evaluation_options"]

IMAGES_HELP = "Folder of images to evaluate in place of a net's."


def add_evaluation_options(parser: LightningArgumentParser) -> None:
    """Add the options to a subcommand's parser."""
    names = ", ".join(get_args(ProtocolName))
    meaning = f"Numbers of images: {names}; in place of the evaluator's own."
    parser.add_argument("--protocol", type=ProtocolName | None, default=None, help=meaning)
    meaning = "Seeds of the latents to average the metrics over."
    parser.add_argument("--seeds", type=int | None, default=None, help=meaning)
    meaning = "The averaged weights where training has kept an average, or the raw ones."
    parser.add_argument("--weights", type=Weights, default="averaged", help=meaning)


def use_evaluation_options(config: Namespace, options: Collection[str]) -> None:
    """Put the options into the evaluator's settings.

    The evaluator's own ``options`` on the command line win over the protocol.
    """
    given = {name: config.get(name) for name in ("protocol", "seeds") if config.get(name) is not None}
    if not given:
        return
    evaluator = config.model.evaluator
    if evaluator is None:
        raise SlimGANError(f"--{next(iter(given))} needs an evaluator; leave --model.evaluator null out")
    if "protocol" in given:  # whole, but for numbers on the same command line
        named = {option.replace(".init_args.", ".") for option in options}
        given |= dict.fromkeys(name for name in Protocol._fields if f"--model.evaluator.{name}" not in named)
    for name, value in given.items():
        evaluator.init_args[name] = value
