"""Callbacks and trainer arguments of the command, for programs."""

from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ProgressBar

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.callbacks.closing_lines import ClosingLines
from slimgan_pl.callbacks.dashboards import Dashboards
from slimgan_pl.callbacks.diagnosis import Diagnosis
from slimgan_pl.callbacks.nonfinite import StopOnNonFinite
from slimgan_pl.callbacks.progress import IterationProgress
from slimgan_pl.callbacks.results import ResultsTable
from slimgan_pl.callbacks.run_plan import RunPlan
from slimgan_pl.callbacks.samples import SampleGrid
from slimgan_pl.callbacks.stop_on_signal import StopOnSignal
from slimgan_pl.callbacks.training_cost import TrainingCost
from slimgan_pl.runs.carried_settings import TRAINER_DEFAULTS
from slimgan_pl.runs.checkpoint_io import AtomicCheckpointIO
from slimgan_pl.runs.loggers import make_loggers

__all__ = ["default_callbacks", "default_trainer_arguments"]

AFTER = (  # the callbacks behind the user's, in this order
    StopOnNonFinite,
    ResultsTable,
    Dashboards,
    SampleGrid,
    Diagnosis,
    RunPlan,
    IterationProgress,
    ClosingLines,  # after those that write the files
    StopOnSignal,  # after the others, which finish the iteration
    IterationCheckpoint,
)


def default_callbacks(*callbacks: Callback) -> list[Callback]:
    """Return the callbacks that ``slimgan fit`` gives its trainer, in their order.

    They print the plan, the progress, a table of results and the closing lines, write checkpoints, pictures and
    results, warn of a training that fails, and end a run at NaN or on a signal. Results and closing lines come with
    ``Trainer.test`` after the fit.

    Args:
        callbacks: More callbacks, such as early stopping. The first of a class above takes the place of the default,
            and so does any progress bar.
    """
    bases = {kind: ProgressBar if kind is IterationProgress else kind for kind in (TrainingCost, *AFTER)}
    given = {kind: next((each for each in callbacks if isinstance(each, base)), None) for kind, base in bases.items()}
    own = [callback for callback in callbacks if callback not in given.values()]
    first, *rest = (callback or kind() for kind, callback in given.items())
    return [first, *own, *rest]


def default_trainer_arguments(root: str = "runs", **settings: Any) -> dict[str, Any]:
    """Return the other arguments that ``slimgan fit`` gives its trainer.

    They count in iterations, evaluate only when asked to, write checkpoints whole or not at all, and log to CSV and
    TensorBoard in ``root/version_N``, the folder of the run.

    Args:
        root: Folder of the runs.
        settings: Arguments of ``Trainer`` that replace these or are added, such as ``max_steps``.
    """
    defaults = {**TRAINER_DEFAULTS, "default_root_dir": root, "plugins": [AtomicCheckpointIO()]}
    if "logger" not in settings:
        defaults["logger"] = make_loggers(root, "off")
    return {**defaults, **settings}
