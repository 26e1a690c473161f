"""The commands that Lightning runs: fit, validate and test."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from enum import Enum
from typing import Any, cast

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from slimgan_pl.callbacks import (
    AtomicCheckpointIO,
    IterationCheckpoint,
    IterationProgress,
    ResultsTable,
    RunRecord,
    SampleGrid,
    default_callbacks,
)
from slimgan_pl.cli.arguments import as_list
from slimgan_pl.cli.checked_settings import CheckedSettingsCLI
from slimgan_pl.cli.checkpoint_defaults import say
from slimgan_pl.cli.evaluation_options import IMAGES_HELP, add_evaluation_options
from slimgan_pl.cli.lightning_parser import OneLineParser
from slimgan_pl.cli.net_settings import data_reader, fill_net_settings
from slimgan_pl.cli.trainer_options import arrange_help
from slimgan_pl.data import ByteDataModule
from slimgan_pl.errors import SlimGANError, cause_of, check_range, lacks_memory
from slimgan_pl.runs.carried_settings import MODEL_DEFAULTS, TRAINER_DEFAULTS
from slimgan_pl.runs.lightning_internals import run_folder
from slimgan_pl.runs.loggers import WandbMode, WandbRun, make_loggers
from slimgan_pl.runs.resume import lock_run
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.recipes import class_path, is_ours, plain

__all__ = ["SlimGANCLI"]


class SlimGANCLI(CheckedSettingsCLI):
    """Lightning's command with one model and any byte-array data module."""

    module_class: type[LightningModule] = SlimGAN
    failure: SlimGANError | None = None  # of a third-party class, which jsonargparse may lose among a union's types

    def __init__(self, args: Sequence[str] | None = None) -> None:
        self.first_word = next(iter(sys.argv[1:] if args is None else args), "")
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

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        if self.first_word in self.subcommands() and subcommand != self.first_word:  # whose options cannot be typed
            self._subcommand_method_arguments[subcommand] = []
            return self.init_parser(**kwargs)
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        parser.set_defaults({"weights_only": True})
        if subcommand != "fit":
            parser.set_defaults({"verbose": False})  # the table of widths says it better
            add_evaluation_options(parser)
            if subcommand == "test" and self.has_net:
                parser.add_argument("--images", type=str | None, default=None, help=IMAGES_HELP)
        arrange_help(cast(OneLineParser, parser), subcommand)
        return parser

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--wandb", type=WandbMode, default="off", help="Also log to Weights & Biases.")
        parser.add_class_arguments(WandbRun, "wandb_run")
        meaning = "Give the generator the classes of the data, and the discriminators too."
        parser.add_argument("--conditional", type=bool | None, default=None, help=meaning)
        meaning = "Let the checkpoint name classes of other packages, whose code is then run."
        parser.add_argument("--trust_checkpoint", type=bool, default=False, help=meaning)
        parser.add_lightning_class_args(IterationCheckpoint, "checkpoint")
        parser.add_lightning_class_args(SampleGrid, "samples")
        self.add_model_arguments(parser)

    def add_model_arguments(self, parser: LightningArgumentParser) -> None:
        """Add the defaults and links of the model's arguments."""
        parser.set_defaults(MODEL_DEFAULTS)
        parser.link_arguments("seed_everything", "model.seed", compute_fn=int)

    def _set_seed(self) -> None:
        check_range("--seed_everything", self._get(self.config, "seed_everything"), 0, 2**32 - 1)
        super()._set_seed()

    def before_instantiate_classes(self) -> None:
        if self.has_net:
            is_conditional = self.subcommand == "fit" and self._get(self.config, "conditional")
            fill_net_settings(
                self._get(self.config, "model"), data_reader(self._get(self.config, "data")), is_conditional
            )
        for callback in as_list(self._get(self.config, "trainer.callbacks")):
            arguments = callback.get("init_args", {})
            for key, value in arguments.items():
                if isinstance(value, Enum):  # the default of Timer's interval, which YAML cannot hold
                    arguments[key] = value.value

    def _add_instantiators(self) -> None:
        super()._add_instantiators()
        for kind in (ByteDataModule, object):  # the model keeps Lightning's own
            self.parser.add_instantiator(self._construct, kind)

    def _construct(self, kind: type, *args: Any, **kwargs: Any) -> Any:
        """Return a new object; a third-party class that fails raises a SlimGANError."""
        try:
            return kind(*args, **kwargs)
        except Exception as error:
            if is_ours(kind.__module__) or isinstance(error, SlimGANError) or lacks_memory(error):
                raise
            reason = " ".join(str(error).split())[:150]
            self.failure = SlimGANError(
                f"{class_path(kind)} cannot be made ({type(error).__name__}: {reason}); mend it or its settings"
            )
            raise self.failure from error

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except ValueError as error:
            raise self.failure or cause_of(error, SlimGANError) or error from error
        evaluator = self._get(self.config, "model.evaluator")
        if self.has_net and self.subcommand != "fit":
            self.model.weights = self._get(self.config, "weights")
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
        is_used = {
            SampleGrid: self.has_net,
            IterationProgress: given["enable_progress_bar"] is not False,
            IterationCheckpoint: given["enable_checkpointing"] is not False,
        }
        callbacks = default_callbacks(self.checkpoint, self.samples, self.results, *as_list(given["callbacks"]))
        callbacks = [callback for callback in callbacks if is_used.get(type(callback), True)]
        plugins = [*as_list(given["plugins"]), AtomicCheckpointIO()]
        logger, wandb = given["logger"], self._get(self.config, "wandb")
        if logger is None or logger is True:
            wandb_run = self._get(self.config_init, "wandb_run")
            logger = make_loggers(given["default_root_dir"], wandb, wandb_run, self.stopped) if is_fit else False
        if not logger and wandb != "off":
            say("NOTE: Weights & Biases is told of training alone, and with loggers; --wandb has no effect here")
        if not is_fit:
            self.save_config_callback = None
        settings = {**given, "callbacks": callbacks, "plugins": plugins, "logger": logger, **kwargs}
        try:
            return self._instantiate_trainer(settings, [])
        except (TypeError, ValueError) as error:
            raise SlimGANError(f"the trainer refuses its settings: {error}") from error

    def after_fit(self) -> None:
        """Evaluate the trained net."""
        if self.trainer.interrupted:
            return
        self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        if self.checkpoint.is_astray and self.checkpoint.saved_at != self.trainer.global_step:
            raise SlimGANError(
                "the trained net could not be saved anywhere; make room in the run's folder, then resume the "
                "checkpoint before it with --ckpt_path last"
            )
        if self.checkpoint.is_astray:
            raise SlimGANError(
                f"the trained net could not be saved in the run's folder; it is in {self.checkpoint.last_path}, move it"
            )
        self._check_written()

    def _check_written(self) -> None:
        """Raise a SlimGANError on process 0 for results or pictures not written."""
        files = {"the results": self.results, "the picture": self.samples}
        unwritten = [name for name, callback in files.items() if callback.is_unwritten]
        if unwritten:
            raise SlimGANError(
                f"{' and '.join(unwritten)} could not be written; do what the warning says, then evaluate the "
                "checkpoint again with slimgan test"
            )

    after_test = after_validate = _check_written
