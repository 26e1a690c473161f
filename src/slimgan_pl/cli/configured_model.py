"""Models of configurations, built as ``slimgan fit`` builds them."""

from jsonargparse import ActionConfigFile, Namespace  # type: ignore[attr-defined]

from slimgan_pl.cli.lightning_parser import OneLineParser, accept_and_ignore
from slimgan_pl.cli.net_settings import fill_net_settings
from slimgan_pl.runs.carried_settings import MODEL_DEFAULTS
from slimgan_pl.runs.checkpoints import build_model
from slimgan_pl.training.slimgan import SlimGAN

__all__ = ["OTHER_SETTINGS", "build_configured_model"]

OTHER_SETTINGS = (  # of a configuration, besides those of the model
    *("seed_everything", "trainer", "data", "optimizer", "lr_scheduler", "ckpt_path", "weights_only", "verbose"),
    *("wandb", "wandb_run", "trust_checkpoint", "checkpoint", "samples", "conditional", "protocol", "seeds", "weights"),
)


def build_configured_model(config: str) -> SlimGAN:
    """Return the model that ``slimgan fit --config X`` would train.

    It has new weights; no data set is needed.

    Raises:
        SlimGANError: If its settings do not fit together. A file that cannot be read or parsed ends the process.
    """
    parser = OneLineParser("slimgan profile")
    parser.add_argument("--config", action=ActionConfigFile)
    parser.add_lightning_class_args(SlimGAN, "model")
    parser.set_defaults(MODEL_DEFAULTS)
    accept_and_ignore(parser, *OTHER_SETTINGS)
    settings = parser.parse_args(["--config", config])
    data = settings.data.get("init_args", {}) if isinstance(settings.data, dict | Namespace) else {}
    fill_net_settings(settings.model, data.get)
    return build_model(settings.model.as_dict(), config)
