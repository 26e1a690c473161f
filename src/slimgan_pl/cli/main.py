"""The ``slimgan`` command, from the signals that end it to the sentence it ends with."""

import logging
import os
import sys
import warnings
from collections.abc import Sequence

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only

from slimgan_pl.cli.arguments import fail
from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.errors import SlimGANError, lacks_memory
from slimgan_pl.utils.distributed import is_lost_process, leave
from slimgan_pl.utils.files import threads_without_traceback
from slimgan_pl.utils.signals import Interrupted, interrupting
from slimgan_pl.utils.terminal import LossyOutput, printing_at_any_price, show_in_one_line

__all__ = ["SlimGANCLI", "main"]


def main(args: Sequence[str] | None = None) -> None:
    """Run the ``slimgan`` command.

    What a user can mend ends in one sentence and status 1, or 2 where it is in the arguments; set ``SLIMGAN_DEBUG`` to
    see the traceback.
    """
    with printing_at_any_price() as output:
        run(args, output)


def run(args: Sequence[str] | None, output: LossyOutput) -> None:
    """Run the command, or say in one sentence why not and exit."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")  # advice for other set-ups than this command's
            warnings.showwarning = show_in_one_line(warnings.showwarning)
            with interrupting(), threads_without_traceback():
                command = SlimGANCLI(args)
                leave()
        if command.config["subcommand"] != "fit":  # what a training leaves is on disk
            output.check()
    except Interrupted as stop:
        rank_zero_only(sys.stderr.write)(f"slimgan: {stop}\n")
        sys.exit(stop.status)
    except (SlimGANError, MisconfigurationException, OSError) as error:
        if os.environ.get("SLIMGAN_DEBUG"):
            raise
        fail(str(error), 1)
    except (RuntimeError, MemoryError) as error:
        told = what_the_machine_lacks(error)
        if told is None or os.environ.get("SLIMGAN_DEBUG"):
            raise
        fail(told, 1)


def what_the_machine_lacks(error: RuntimeError | MemoryError) -> str | None:
    """Return the sentence for memory that is too small or a process that is gone, or None for a bug."""
    if lacks_memory(error):
        return "the memory is too small for these settings; lower the sizes of the nets or of the batches"
    if is_lost_process(error):
        return "another process of this run has ended; what was saved stays: go on with --ckpt_path last"
    return None
