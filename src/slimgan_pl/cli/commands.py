"""Table of the subcommands."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

__all__ = ["COMMANDS", "Command"]


class Command(NamedTuple):
    """Subcommand: function as ``module:name``, summary, and whether Lightning parses its arguments."""

    path: str
    summary: str
    uses_lightning: bool = False

    def load(self) -> Callable[..., Any]:
        """Return the function; only now its module is imported."""
        module, _, name = self.path.partition(":")
        function: Callable[..., Any] = getattr(import_module(f"slimgan_pl.cli.{module}"), name)
        return function


COMMANDS = {
    "fit": Command("lightning_commands:run_lightning", "Train a GAN, then evaluate it.", True),
    "validate": Command("lightning_commands:run_lightning", "Evaluate a checkpoint as training does.", True),
    "test": Command("lightning_commands:run_lightning", "Evaluate a checkpoint or a folder of images.", True),
    "sample": Command("sample:sample", "Generate images from a checkpoint."),
    "walk": Command("walk:walk", "Show a walk through latents as an animation."),
    "recalibrate": Command("recalibrate:recalibrate_checkpoint", "Measure batch-norm statistics of a checkpoint anew."),
    "import": Command("import_checkpoint:import_checkpoint", "Convert a checkpoint of the paper's authors."),
    "compare": Command("compare:compare", "Compare the results of several runs in one table."),
    "profile": Command("profile:profile", "Measure size, latency and memory of every width."),
    "report": Command("report:report", "Write one web page about runs."),
    "export": Command("export:export", "Write a generator for other programs and devices."),
    "demo": Command("demo:demo", "Show a checkpoint in the browser."),
}
