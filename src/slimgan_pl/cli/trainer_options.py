"""The command's help, and options of Lightning's trainer that cannot work here."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

from lightning.pytorch import Trainer

from slimgan_pl.cli.lightning_parser import OneLineParser
from slimgan_pl.errors import SlimGANError

__all__ = ["arrange_help", "check_trainer_options"]

FIRST = ("config", "ckpt_path", "wandb_run", "samples", "checkpoint", "data", "model")  # groups of the help, in order

UNSUITED_OPTIONS = {  # of the trainer, with what is wrong and what to do; old configurations hold their defaults
    "accumulate_grad_batches": "needs a single optimizer; raise --data.batch_size, and set --model.micro_batches",
    "barebones": "takes logs and checkpoints away; set --trainer.logger false and --trainer.enable_checkpointing false",
    "check_val_every_n_epoch": "counts epochs, and everything else iterations; set --trainer.val_check_interval",
    "gradient_clip_algorithm": "needs a single optimizer, as all clipping of gradients does; leave it out",
    "gradient_clip_val": "needs a single optimizer; lower --model.generator_optimizer.lr or "
    "--model.discriminator_optimizer.lr",
    "limit_predict_batches": "is for predictions, which slimgan sample makes; leave it out",
    "overfit_batches": "would evaluate training batches; set --trainer.limit_train_batches",
}


CKPT_HELP = (
    "Checkpoint, or a run's folder; `last` is the newest run's, which fit resumes, `best` its best.ckpt, or else the "
    "best that it has kept and evaluated."
)


def check_trainer_options(given: Mapping[str, Any]) -> None:
    """Raise a SlimGANError for trainer options that two optimizers rule out."""
    known = signature(Trainer).parameters
    for name, problem in UNSUITED_OPTIONS.items():
        default = None if name == "check_val_every_n_epoch" else known[name].default
        if given.get(name, default) not in (default, None):
            raise SlimGANError(f"--trainer.{name} {problem}")
    strategy = str(given.get("strategy"))
    if strategy.startswith("ddp_") and strategy.partition("_")[2].split("_")[0] in ("spawn", "fork", "notebook"):
        raise SlimGANError(f"--trainer.strategy {strategy} cannot pass these nets to its processes; set it to ddp")


def arrange_help(parser: OneLineParser, name: str) -> None:
    """Show this package's options first; hide those that cannot work."""
    parser.usage = f"slimgan {name} --config FILE [options]"
    parser.description = (
        f"{parser.description} Most options have a key in the FILE too. `--model.generator.help ResNetGenerator` lists "
        "the options of a class; likewise --model.discriminators.help, --model.evaluator.help and --data.help."
    )
    for action in parser._actions:
        if action.dest == "ckpt_path":
            action.help = CKPT_HELP
    parser.hidden = {f"trainer.{option}" for option in UNSUITED_OPTIONS}

    def place(group: Any) -> int:
        names = {action.dest.partition(".")[0] for action in group._group_actions}
        return min((FIRST.index(name) for name in names if name in FIRST), default=len(FIRST))

    parser._action_groups = sorted(parser._action_groups, key=place)
