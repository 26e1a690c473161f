"""Models of configurations, built as ``slimgan fit`` builds them."""

from collections.abc import Sequence

from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.runs.checkpoints import build_model
from slimgan_pl.training.slimgan import SlimGAN

__all__ = ["configured_model"]

UNUSED_DATA = ("--data", "DigitsDataModule")  # the parser asks for all that a data set needs, such as its folder


class SettingsParser(SlimGANCLI):
    """Parses what ``slimgan fit`` takes and runs nothing; a checkpoint that is named is not looked at."""

    def _find_checkpoint(self, command: str, argv: Sequence[str]) -> str | None:
        return None

    def instantiate_classes(self) -> None:
        """Nothing to build: neither data nor trainer."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Nothing to run."""


def configured_model(config: str) -> SlimGAN:
    """Return the model that ``slimgan fit --config X`` would train, with new weights; no data set is needed.

    Raises:
        SlimGANError: If its settings do not fit together. What cannot be read or parsed ends the process.
    """
    parsed = SettingsParser(["fit", "--config", config, *UNUSED_DATA])
    return build_model(parsed.config["fit"]["model"].as_dict(), config)
