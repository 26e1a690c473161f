"""Lightning callbacks: checkpoints, evaluation, sample grids, the table of results, progress, warnings."""

import warnings

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.callbacks.closing_lines import ClosingLines
from slimgan_pl.callbacks.dashboards import Dashboards
from slimgan_pl.callbacks.defaults import default_callbacks, default_trainer_arguments
from slimgan_pl.callbacks.diagnosis import Diagnosis
from slimgan_pl.callbacks.nonfinite import StopOnNonFinite
from slimgan_pl.callbacks.progress import IterationProgress
from slimgan_pl.callbacks.results import ResultsTable
from slimgan_pl.callbacks.run_config import RunRecord
from slimgan_pl.callbacks.run_plan import RunPlan
from slimgan_pl.callbacks.samples import SampleGrid
from slimgan_pl.callbacks.stop_on_signal import StopOnSignal
from slimgan_pl.callbacks.training_cost import TrainingCost
from slimgan_pl.evaluation.results_table import results_table
from slimgan_pl.runs.checkpoint_io import AtomicCheckpointIO
from slimgan_pl.training.evaluate import Evaluation
from slimgan_pl.training.sample_grid import sample_grid

__all__ = [
    "AtomicCheckpointIO",
    "ClosingLines",
    "Dashboards",
    "Diagnosis",
    "Evaluation",
    "IterationCheckpoint",
    "IterationProgress",
    "ResultsTable",
    "RunPlan",
    "RunRecord",
    "SampleGrid",
    "StopOnNonFinite",
    "StopOnSignal",
    "TrainingCost",
    "default_callbacks",
    "default_trainer_arguments",
    "results_table",
    "sample_grid",
]


def __getattr__(name: str) -> object:
    if name == "draw_grid":
        warnings.warn("draw_grid is now sample_grid", DeprecationWarning, stacklevel=2)
        return sample_grid
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
