"""Settings of a checkpoint as defaults of Lightning's command."""

import logging
import sys
from pathlib import Path
from typing import Any

from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities import rank_zero_only

from slimgan_pl.cli.arguments import CommandLine, read_command_line
from slimgan_pl.cli.evaluation_options import use_evaluation_options
from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.carried_settings import TRAINER_DEFAULTS, read_carried_settings, read_root
from slimgan_pl.runs.checkpoints import read_checkpoint
from slimgan_pl.runs.evaluations import find_best_checkpoint
from slimgan_pl.runs.folder import find_checkpoint
from slimgan_pl.runs.resume import StoppedRun, find_newest_run
from slimgan_pl.runs.trust import check_trusted

__all__ = ["CheckpointDefaultsCLI", "say"]

say = rank_zero_only(print)


class CheckpointDefaultsCLI(LightningCLI):
    """Lightning's command with defaults from a checkpoint."""

    has_net = True  # which images alone do not need
    stopped: StoppedRun | None = None  # the run to resume in its folder
    prints_alone = False  # help or a configuration
    settings_before: dict[str, Any] | None = None  # settings of the run that wrote the checkpoint

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        argv = list(sys.argv[1:] if args is None else args)
        command = argv[0] if argv else ""
        if command not in self._subcommand_parsers:  # a configuration comes first
            super().parse_arguments(parser, args)
            return
        line = read_command_line(argv[1:])
        self.prints_alone = line.runs_nothing
        ckpt_path = self._find_checkpoint(command, line)
        if ckpt_path is not None:
            self._take_checkpoint(command, ckpt_path, line)
        elif command != "fit" and self.has_net and not line.runs_nothing:
            raise SlimGANError(f"slimgan {command} needs a trained net: give its checkpoint with --ckpt_path")
        super().parse_arguments(parser, args)
        if line.images is None and self.config[command].get("images") is not None:
            raise SlimGANError(
                "name the folder of images with --images on the command line, not in a configuration file"
            )
        # A later configuration file without one does not take it away; images need its settings alone.
        self.config[command]["ckpt_path"] = ckpt_path if self.has_net else None
        use_evaluation_options(self.config[command], line.options)

    def _find_checkpoint(self, command: str, line: CommandLine) -> str | None:
        """Return the checkpoint; ``last`` is the newest run's, which fit resumes."""
        root = Path(line.root or str(TRAINER_DEFAULTS["default_root_dir"]))
        if line.ckpt_config is not None:
            self._say(f"{line.ckpt_config} names a checkpoint: {line.ckpt_path}")
        if line.ckpt_path is None:
            return None
        if line.ckpt_path == "best":
            best = find_best_checkpoint(root)
            self._say(f"The best checkpoint in {root} is {best}.")
            return str(best)
        if line.ckpt_path != "last":
            return str(find_checkpoint(line.ckpt_path))
        found = find_newest_run(root)
        if found is None and command != "fit":
            raise SlimGANError(f"there is no run with a checkpoint in {root}; give the path of one with --ckpt_path")
        if found is None:
            self._say(f"There is no checkpoint in {root} yet; starting a new run.")
            return None
        if command == "fit":
            self.stopped = found
            self._say(f"Resuming {found.folder} after iteration {found.iteration}.")
        return str(found.checkpoint)

    def _take_checkpoint(self, command: str, ckpt_path: str, line: CommandLine) -> None:
        """Check a checkpoint and make its settings the defaults."""
        checkpoint = read_checkpoint(ckpt_path)
        self.settings_before = checkpoint.get("run", {}).get("settings")
        if command == "fit" and self.stopped is None:
            root = read_root(checkpoint)
            where = "" if root is None or line.root is not None else f" in {root}"
            self._say(f"Starting a new run{where} from {ckpt_path}, after iteration {checkpoint['global_step']}.")
            if root is not None:
                self._subcommand_parsers[command].set_defaults({"trainer.default_root_dir": root})
        if not line.trusts_checkpoint:
            carried = [checkpoint["hyper_parameters"], checkpoint.get("datamodule_hyper_parameters")]
            check_trusted(carried, ckpt_path, line.names)
        for key, value in read_carried_settings(checkpoint, ckpt_path).items():
            try:
                self._subcommand_parsers[command].set_defaults({key: value})
            except KeyError:  # a setting of another version
                logging.getLogger(__name__).warning("%s: the setting %s is not known here, left out", ckpt_path, key)
            except (ImportError, AttributeError, TypeError, ValueError) as error:
                raise SlimGANError(f"{ckpt_path} needs for its {key} what is not to be had here: {error}") from error
        if not checkpoint.get("datamodule_hyper_parameters") and not line.names_data:
            raise SlimGANError(
                f"{ckpt_path} does not say which data it belongs to; name them, for example "
                "--data CIFAR10DataModule --data.root data"
            )
        if command == "fit" and not checkpoint["optimizer_states"]:
            self._say(f"NOTE: {ckpt_path} holds no optimizer states; the optimizers start fresh.")

    def _say(self, sentence: str) -> None:
        """Print a sentence, but not before a configuration or help."""
        if not self.prints_alone:
            say(sentence)

    def _parse_ckpt_path(self) -> None:
        """Leave the checkpoint's settings as defaults, which the user can override."""
