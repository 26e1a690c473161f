"""The commands that Lightning runs: fit, validate and test."""

import logging
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from slimgan_pl.callbacks import (
    AtomicCheckpointIO,
    Dashboards,
    IterationCheckpoint,
    IterationProgress,
    ResultsTable,
    RunRecord,
    SampleGrid,
    StopOnNonFinite,
    StopOnSignal,
    TrainingCost,
)
from slimgan_pl.cli.arguments import CommandLine, as_list, read_command_line
from slimgan_pl.cli.evaluation_options import add_evaluation_options, use_evaluation_options
from slimgan_pl.cli.lightning_parser import OneLineParser
from slimgan_pl.cli.next_steps import next_commands, paths_table
from slimgan_pl.data import ByteDataModule
from slimgan_pl.errors import SlimGANError, cause_of, check_range
from slimgan_pl.runs.carried_settings import MODEL_DEFAULTS, TRAINER_DEFAULTS, carried_settings
from slimgan_pl.runs.checkpoints import check_weights, read_checkpoint
from slimgan_pl.runs.lightning_internals import callbacks_of, run_folder
from slimgan_pl.runs.loggers import WandbMode, WandbRun, make_loggers
from slimgan_pl.runs.resume import StoppedRun, find_newest_run, lock_run
from slimgan_pl.runs.settings import compare_settings
from slimgan_pl.runs.trust import check_trusted
from slimgan_pl.training.compatibility import check_data, check_training
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.distributed import is_lost_process, leave
from slimgan_pl.utils.recipes import plain
from slimgan_pl.utils.signals import Interrupted

__all__ = ["SlimGANCLI"]

say = rank_zero_only(print)

IMAGES_HELP = "Folder of images to evaluate in place of a net's."


class SlimGANCLI(LightningCLI):
    """Lightning's command with one model, any byte-array data module, and defaults from a checkpoint."""

    module_class: type[LightningModule] = SlimGAN
    has_net = True  # which images alone do not need
    stopped: StoppedRun | None = None  # the run to resume in its folder
    settings_before: dict[str, Any] | None = None  # settings of the run that wrote the checkpoint

    def __init__(self, args: Sequence[str] | None = None) -> None:
        super().__init__(
            model_class=self.module_class,
            datamodule_class=ByteDataModule,
            subclass_mode_data=True,
            save_config_callback=RunRecord,
            save_config_kwargs={"overwrite": True},
            trainer_defaults=TRAINER_DEFAULTS,
            seed_everything_default=0,
            parser_class=OneLineParser,
            parser_kwargs={"prog": "slimgan", "description": "Slimmable GANs: train once, run at any width."},
            auto_configure_optimizers=False,
            args=None if args is None else list(args),
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        known = LightningCLI.subcommands()
        return {name: known[name] for name in ("fit", "validate", "test")}

    def _add_subcommands(self, parser: LightningArgumentParser, **kwargs: Any) -> None:
        super()._add_subcommands(parser, **kwargs)
        for name, subcommand_parser in self._subcommand_parsers.items():
            subcommand_parser.set_defaults({"weights_only": True})
            if name != "fit":
                subcommand_parser.set_defaults({"verbose": False})  # the table of widths says it better
                add_evaluation_options(subcommand_parser)
                if name == "test":
                    subcommand_parser.add_argument("--images", type=str | None, default=None, help=IMAGES_HELP)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument(
            "--wandb",
            type=WandbMode,
            default="off",
            help="Also log to Weights & Biases.",
        )
        parser.add_class_arguments(WandbRun, "wandb_run")
        parser.add_argument(
            "--trust_checkpoint",
            type=bool,
            default=False,
            help="Let the checkpoint name classes of other packages, whose code is then run.",
        )
        parser.add_lightning_class_args(IterationCheckpoint, "checkpoint")
        parser.add_lightning_class_args(SampleGrid, "samples")
        self.add_model_arguments(parser)

    def add_model_arguments(self, parser: LightningArgumentParser) -> None:
        """Add the defaults and links of the model's arguments."""
        parser.set_defaults(MODEL_DEFAULTS)
        parser.link_arguments("seed_everything", "model.seed", compute_fn=int)

    # Settings: checkpoint < configuration file < command line

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        argv = list(sys.argv[1:] if args is None else args)
        command = argv[0] if argv else ""
        if command not in self._subcommand_parsers:  # a configuration comes first
            super().parse_arguments(parser, args)
            return
        line = read_command_line(argv[1:])
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
        """Return the checkpoint that is asked for; ``last`` is that of the newest run, which fit resumes."""
        if line.ckpt_path != "last":
            return line.ckpt_path
        root = line.root or str(TRAINER_DEFAULTS["default_root_dir"])
        found = find_newest_run(Path(root))
        if found is None and command != "fit":
            raise SlimGANError(f"there is no run with a checkpoint in {root}; give the path of one with --ckpt_path")
        if command == "fit":
            self.stopped = found
            say(
                f"There is no checkpoint in {root} yet; starting a new run."
                if found is None
                else f"Resuming {found.folder} after iteration {found.iteration}."
            )
        return None if found is None else str(found.checkpoint)

    def _take_checkpoint(self, command: str, ckpt_path: str, line: CommandLine) -> None:
        """Check a checkpoint and make its settings the defaults."""
        checkpoint = read_checkpoint(ckpt_path)
        self.settings_before = checkpoint.get("run", {}).get("settings")
        if not line.trusts_checkpoint:
            carried = [checkpoint["hyper_parameters"], checkpoint.get("datamodule_hyper_parameters")]
            check_trusted(carried, ckpt_path, line.names)
        self._use_settings_of(checkpoint, ckpt_path, self._subcommand_parsers[command])
        if not checkpoint.get("datamodule_hyper_parameters") and not line.names_data:
            raise SlimGANError(
                f"{ckpt_path} does not say which data it belongs to; name them, for example "
                "--data CIFAR10DataModule --data.root data"
            )
        if command == "fit" and not checkpoint["optimizer_states"]:
            say(f"NOTE: {ckpt_path} holds no optimizer states; the optimizers start fresh.")

    def _use_settings_of(self, checkpoint: dict[str, Any], ckpt_path: str, parser: LightningArgumentParser) -> None:
        """Make the settings of a checkpoint the defaults."""
        for key, value in carried_settings(checkpoint, ckpt_path).items():
            try:
                parser.set_defaults({key: value})
            except KeyError:  # a setting of another version
                logging.getLogger(__name__).warning("%s: the setting %s is not known here, left out", ckpt_path, key)
            except (ImportError, AttributeError, TypeError, ValueError) as error:
                raise SlimGANError(f"{ckpt_path} needs for its {key} what is not to be had here: {error}") from error

    def _parse_ckpt_path(self) -> None:
        """Do nothing: the checkpoint's settings are defaults already, which the user can override."""

    # Running

    def _set_seed(self) -> None:
        check_range("--seed_everything", self._get(self.config, "seed_everything"), 0, 2**32 - 1)
        super()._set_seed()

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except ValueError as error:
            raise cause_of(error, SlimGANError) or error from error
        evaluator = self._get(self.config, "model.evaluator")
        if evaluator is not None:  # as it was asked for: a third-party extractor has no recipe
            self.model.hparams["evaluator"] = plain(evaluator.as_dict())

    def _run_subcommand(self, subcommand: str) -> None:
        is_writer = subcommand == "fit" and self.trainer.is_global_zero
        with lock_run(run_folder(self.trainer)) if is_writer else nullcontext():
            super()._run_subcommand(subcommand)

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        self.check_settings()
        self.checkpoint = self._get(self.config_init, "checkpoint")
        self.samples = self._get(self.config_init, "samples")
        self.results = ResultsTable()
        given = self._get(self.config_init, "trainer")
        is_fit = self.subcommand == "fit"
        guards = [StopOnNonFinite(), StopOnSignal()]
        callbacks = [TrainingCost(), *as_list(given["callbacks"]), *guards, self.results, Dashboards()]
        if self.has_net:
            callbacks.append(self.samples)
        if given["enable_progress_bar"] is not False:
            callbacks.append(IterationProgress())
        if given["enable_checkpointing"] is not False:
            callbacks.append(self.checkpoint)
        plugins = [*as_list(given["plugins"]), AtomicCheckpointIO()]
        logger = given["logger"]
        if logger is None or logger is True:
            logger = self._make_loggers(given["default_root_dir"]) if is_fit else False
        if not logger and self._get(self.config, "wandb") != "off":
            say("NOTE: Weights & Biases is told of training alone, and with loggers; --wandb has no effect here")
        if not is_fit:
            self.save_config_callback = None
        settings = {**given, "callbacks": callbacks, "plugins": plugins, "logger": logger, **kwargs}
        try:
            return self._instantiate_trainer(settings, [])
        except (TypeError, ValueError) as error:
            raise SlimGANError(f"the trainer refuses its settings: {error}") from error

    def _make_loggers(self, root: str) -> list[Logger]:
        mode, wandb_run = self._get(self.config, "wandb"), self._get(self.config_init, "wandb_run")
        return make_loggers(root, mode, wandb_run, self.stopped)

    def check_settings(self) -> None:
        """Raise a SlimGANError for settings that do not fit together, before data or folders are written."""
        check_data(self.model.generator, self.datamodule)
        if self.subcommand == "fit":
            trainer = self._get(self.config, "trainer")
            check_training(trainer.max_steps, trainer.val_check_interval)
            self.model.configure_optimizers()  # which check their own settings
        ckpt_path = self._get(self.config, "ckpt_path")
        if ckpt_path is not None:
            checkpoint = read_checkpoint(ckpt_path)
            check_weights(self.model, checkpoint["state_dict"], ckpt_path)
            iteration = checkpoint["global_step"]
            if self.subcommand == "fit" and 0 <= self._get(self.config, "trainer.max_steps") <= iteration:
                if self.stopped is not None:
                    self._finish(self.stopped)
                    return
                raise SlimGANError(
                    f"{ckpt_path} is already at iteration {iteration}; raise --trainer.max_steps to resume it"
                )
        if self.model.evaluator is not None:
            self.model.evaluator.start(self.model.device, self.model.fakes().shape)

    def _finish(self, run: StoppedRun) -> None:
        """Exit for a run with all its iterations and its results; one without results is evaluated."""
        if run.is_evaluated:
            say(f"It has all its {run.iteration} iterations and its results; raise --trainer.max_steps to resume it.")
            sys.exit()

    def before_fit(self) -> None:
        """Print the settings that differ from those of the run that is resumed."""
        if self.settings_before is None:
            return
        for record in callbacks_of(self.trainer, RunRecord):
            now = {**record.settings, "processes": self.trainer.world_size}
            for change in compare_settings(self.settings_before, now):
                say(f"Changed since the checkpoint: {change}")

    def after_fit(self) -> None:
        """Evaluate the trained net and print the paths of its files."""
        if self.trainer.interrupted:
            return
        self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        self._say_paths()
        if self.checkpoint.is_astray:
            raise SlimGANError(
                f"the trained net could not be saved in the run's folder; it is in {self.checkpoint.last_path}, move it"
            )
        say(next_commands(self.checkpoint.last_path, run_folder(self.trainer).path, self.model.evaluator is not None))

    def after_test(self) -> None:
        self._say_paths()

    def after_validate(self) -> None:
        self._say_paths()

    def _say_paths(self) -> None:
        folder = run_folder(self.trainer) if self.subcommand == "fit" else None  # which the processes tell each other
        config = None if folder is None else folder.config
        paths = {
            "Run": None if folder is None else folder.path,
            "Configuration": config if config is not None and config.is_file() else None,
            "Checkpoint": self.checkpoint.last_path,
            "Results": self.results.last_path,
            "Picture": self.samples.last_path,
        }
        say(paths_table(paths))


def run_lightning(args: Sequence[str] | None = None) -> None:
    """Run ``slimgan fit``, ``validate`` or ``test``.

    Args:
        args: Words of the command line; by default those that the process was started with.

    Raises:
        SlimGANError: If a setting is wrong, or another process of the run ended.
    """
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    argv = list(sys.argv[1:] if args is None else args)
    images = read_command_line(argv[1:]).images if argv[:1] == ["test"] else None
    try:
        if images is None:
            SlimGANCLI(args)
        else:
            from slimgan_pl.cli.image_folder_cli import ImageFolderCLI

            ImageFolderCLI(args)
        leave()
    except MisconfigurationException as error:
        raise SlimGANError(str(error)) from error
    except Interrupted as stop:
        if rank_zero_only.rank:  # process 0 prints the message for all
            sys.exit(stop.status)
        raise
    except RuntimeError as error:
        if not is_lost_process(error):
            raise
        message = "another process of this run has ended; what was saved stays: resume with --ckpt_path last"
        raise SlimGANError(message) from error
