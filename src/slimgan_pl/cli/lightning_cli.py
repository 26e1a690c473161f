"""The command's parser and what it runs: Lightning's fit, validate and test, and tools for a checkpoint alone."""

import logging
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from lightning.pytorch import Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

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
from slimgan_pl.cli.arguments import (
    OneLineParser,
    as_list,
    find_checkpoint,
    find_option,
    find_root,
    named_by_user,
    names_data,
)
from slimgan_pl.cli.evaluation_options import add_judging_options, use_judging_options
from slimgan_pl.cli.next_steps import next_commands, paths_table
from slimgan_pl.cli.tools import TOOLS, add_tools
from slimgan_pl.data import ByteDataModule
from slimgan_pl.errors import SlimGANError, cause_of, check_range
from slimgan_pl.runs.carried_settings import MODEL_DEFAULTS, TRAINER_DEFAULTS, UNUSED_NETS, carried_settings
from slimgan_pl.runs.checkpoints import check_weights, read_checkpoint
from slimgan_pl.runs.folder import callbacks_of, run_folder
from slimgan_pl.runs.loggers import WandbMode, WandbRun, make_loggers
from slimgan_pl.runs.resume import StoppedRun, changes, newest_run, owning
from slimgan_pl.runs.trust import check_trusted
from slimgan_pl.training.compatibility import check_data, check_training
from slimgan_pl.training.evaluate import ImageEvaluation
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.recipes import plain

__all__ = ["SlimGANCLI"]

say = rank_zero_only(print)


class SlimGANCLI(LightningCLI):
    """Lightning's command with one model, any byte-array data module, and settings that a checkpoint carries along."""

    images: str | None = None  # a folder of them to judge
    stopped: StoppedRun | None = None  # a run to go on with in its folder
    settings_before: dict[str, Any] | None = None  # of the run that the checkpoint is from

    def __init__(self, args: Sequence[str] | None = None) -> None:
        super().__init__(
            model_class=SlimGAN,
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
                add_judging_options(subcommand_parser, images=name == "test")
        add_tools(parser._subcommands_action)

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
        parser.set_defaults(MODEL_DEFAULTS)
        parser.link_arguments("seed_everything", "model.seed", compute_fn=int)

    # Settings: checkpoint < configuration file < command line

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        argv = list(sys.argv[1:] if args is None else args)
        command = next((word for word in argv if not word.startswith("-")), None)
        if command not in self._subcommand_parsers:
            super().parse_arguments(parser, args)
            return
        ckpt_path = self._find_checkpoint(command, argv)
        self.images = find_option(argv, "--images") if command == "test" else None
        if self.images == "":
            raise SlimGANError("--images is empty; name a folder of images")
        if self.images is not None:
            self._subcommand_parsers[command].set_defaults(UNUSED_NETS)
        if ckpt_path is not None:
            checkpoint = read_checkpoint(ckpt_path)
            self.settings_before = checkpoint.get("run", {}).get("settings")
            if (find_option(argv, "--trust_checkpoint") or "").lower() != "true":
                carried = [checkpoint["hyper_parameters"], checkpoint.get("datamodule_hyper_parameters")]
                check_trusted(carried, ckpt_path, named_by_user(argv))
            self._use_settings_of(checkpoint, ckpt_path, self._subcommand_parsers[command])
            if not checkpoint.get("datamodule_hyper_parameters") and not names_data(argv):
                raise SlimGANError(
                    f"{ckpt_path} does not say which data it belongs to; name them, for example "
                    "--data CIFAR10DataModule --data.root data"
                )
            if command == "fit" and not checkpoint["optimizer_states"]:
                say(f"NOTE: {ckpt_path} holds no optimizer states; the optimizers start fresh.")
        elif command != "fit" and self.images is None and not {"-h", "--help", "--print_config"} & set(argv):
            raise SlimGANError(f"slimgan {command} needs a trained net: give its checkpoint with --ckpt_path")
        super().parse_arguments(parser, args)
        if self.images is None and self.config[command].get("images") is not None:
            raise SlimGANError(
                "name the folder of images with --images on the command line, not in a configuration file"
            )
        # A later configuration file without one does not take it away; images need its settings alone.
        self.config[command]["ckpt_path"] = ckpt_path if self.images is None else None
        use_judging_options(self.config[command], argv)

    def _find_checkpoint(self, command: str, argv: Sequence[str]) -> str | None:
        """Return the checkpoint that is asked for; for ``last`` that of the newest run, which fit goes on with."""
        ckpt_path = find_checkpoint(argv)
        if ckpt_path != "last":
            return ckpt_path
        root = find_root(argv) or str(TRAINER_DEFAULTS["default_root_dir"])
        found = newest_run(Path(root))
        if found is None and command != "fit":
            raise SlimGANError(f"there is no run with a checkpoint in {root}; give the path of one with --ckpt_path")
        if command == "fit":
            self.stopped = found
            say(
                f"There is no checkpoint in {root} yet; starting afresh."
                if found is None
                else f"Going on with {found.folder} after iteration {found.iteration}."
            )
        return None if found is None else str(found.checkpoint)

    def _use_settings_of(self, checkpoint: dict[str, Any], ckpt_path: str, parser: LightningArgumentParser) -> None:
        """Make the settings that a checkpoint carries the defaults."""
        for key, value in carried_settings(checkpoint, ckpt_path).items():
            try:
                parser.set_defaults({key: value})
            except KeyError:  # a setting of another version
                logging.getLogger(__name__).warning("%s: the setting %s is not known here, left out", ckpt_path, key)
            except (ImportError, AttributeError, TypeError, ValueError) as error:
                raise SlimGANError(f"{ckpt_path} needs for its {key} what is not to be had here: {error}") from error

    def _parse_ckpt_path(self) -> None:
        """Nothing to do: the checkpoint's settings are defaults already, which the user can override."""

    # Running

    @property
    def _is_tool(self) -> bool:
        return self.config["subcommand"] in TOOLS

    def _set_seed(self) -> None:
        if not self._is_tool:
            check_range("--seed_everything", self._get(self.config, "seed_everything"), 0, 2**32 - 1)
            super()._set_seed()

    def instantiate_classes(self) -> None:
        if self._is_tool:
            return
        try:
            super().instantiate_classes()
        except ValueError as error:
            raise cause_of(error, SlimGANError) or error from error
        evaluator = self._get(self.config, "model.evaluator")
        if evaluator is not None:  # as it was asked for: an extractor of anybody's cannot say how it was made
            self.model.hparams["evaluator"] = plain(evaluator.as_dict())

    def _run_subcommand(self, subcommand: str) -> None:
        if self._is_tool:
            arguments: Namespace = self.config[subcommand]
            TOOLS[subcommand](**arguments.as_dict())
            return
        is_writer = subcommand == "fit" and self.trainer.is_global_zero
        with owning(run_folder(self.trainer)) if is_writer else nullcontext():
            super()._run_subcommand(subcommand)

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        if self.images is None:
            self._check_settings()
        else:
            self.model = self._make_judge(self.images)
        self.checkpoint = self._get(self.config_init, "checkpoint")
        self.samples = self._get(self.config_init, "samples")
        self.results = ResultsTable()
        given = self._get(self.config_init, "trainer")
        is_fit = self.subcommand == "fit"
        callbacks = [TrainingCost(), *as_list(given["callbacks"]), StopOnNonFinite(), self.results, Dashboards()]
        if self.images is None:
            callbacks.append(self.samples)
        if given["enable_progress_bar"] is not False:
            callbacks.append(IterationProgress())
        callbacks.append(StopOnSignal())  # after the others, which finish the iteration
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

    def _make_judge(self, images: str) -> ImageEvaluation:
        """Return what judges a folder of images in place of a net."""
        if self.model.evaluator is None:
            raise SlimGANError("there is no evaluator to judge the images; leave --model.evaluator null out")
        return ImageEvaluation(images, self.model.evaluator)

    def _check_settings(self) -> None:
        """Find what does not fit together before any data is converted and any folder made."""
        check_data(self.model.generator, self.datamodule)
        if self.subcommand == "fit":
            trainer = self._get(self.config, "trainer")
            check_training(trainer.max_steps, trainer.val_check_interval)
            self.model.configure_optimizers()  # which find what is wrong with their settings
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
                    f"{ckpt_path} is already at iteration {iteration}; raise --trainer.max_steps to go on"
                )
        if self.model.evaluator is not None:
            self.model.evaluator.start(self.model.device, self.model.fakes().shape)

    def _finish(self, run: StoppedRun) -> None:
        """Leave a run alone that has come to its end; one that was stopped in its last evaluation is judged."""
        if run.is_judged:
            say(f"It has all its {run.iteration} iterations and is judged; raise --trainer.max_steps to go on.")
            sys.exit()

    def before_fit(self) -> None:
        """Say which settings a run that goes on does so with."""
        if self.settings_before is None:
            return
        for record in callbacks_of(self.trainer, RunRecord):
            now = {**record.settings, "processes": self.trainer.world_size}
            for change in changes(self.settings_before, now):
                say(f"Changed since the checkpoint: {change}")

    def after_fit(self) -> None:
        """Judge the trained net once and say where everything lies."""
        if self.trainer.interrupted:
            return
        self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        self._say_paths()
        if self.checkpoint.is_astray:
            raise SlimGANError(
                f"the trained net could not be saved in the run's folder; it is in {self.checkpoint.last_path}, move it"
            )
        say(next_commands(self.checkpoint.last_path, run_folder(self.trainer), self.model.evaluator is not None))

    def after_test(self) -> None:
        self._say_paths()

    def after_validate(self) -> None:
        self._say_paths()

    def _say_paths(self) -> None:
        folder = run_folder(self.trainer) if self.subcommand == "fit" else None  # which the processes tell each other
        config = None if folder is None else folder / "config.yaml"
        paths = {
            "Run": folder,
            "Configuration": config if config is not None and config.is_file() else None,
            "Checkpoint": self.checkpoint.last_path,
            "Results": self.results.last_path,
            "Picture": self.samples.last_path,
        }
        say(paths_table(paths))
