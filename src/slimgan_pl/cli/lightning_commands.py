"""The subcommands that Lightning runs: fit, validate and test."""

import logging
import sys
from collections.abc import Sequence

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only

from slimgan_pl.cli.arguments import read_command_line
from slimgan_pl.cli.image_folder_cli import ImageFolderCLI
from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.distributed import is_lost_process, leave
from slimgan_pl.utils.signals import Interrupted

__all__ = ["run_lightning"]


def run_lightning(args: Sequence[str] | None = None) -> str:
    """Run ``slimgan fit``, ``validate`` or ``test``, and return its name.

    Raises:
        SlimGANError: If a setting is wrong, or another process of the run ended.
    """
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    argv = list(sys.argv[1:] if args is None else args)
    images = read_command_line(argv[1:]).images if argv[:1] == ["test"] else None
    try:
        command = (SlimGANCLI if images is None else ImageFolderCLI)(args)
        leave()
        return str(command.subcommand)
    except MisconfigurationException as error:
        raise SlimGANError(str(error)) from error
    except Interrupted as stop:
        if getattr(rank_zero_only, "rank", 0):  # process 0 prints the message for all
            sys.exit(stop.status)
        raise
    except RuntimeError as error:
        if not is_lost_process(error):
            raise
        message = "another process of this run has ended; what was saved stays: resume with --ckpt_path last"
        raise SlimGANError(message) from error
