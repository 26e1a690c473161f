"""Lightning callbacks: checkpoints, sample grids, the table of results, progress, guards."""

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.callbacks.dashboards import Dashboards
from slimgan_pl.callbacks.nonfinite import StopOnNonFinite
from slimgan_pl.callbacks.progress import IterationProgress
from slimgan_pl.callbacks.results import ResultsTable
from slimgan_pl.callbacks.run_config import RunRecord
from slimgan_pl.callbacks.samples import SampleGrid
from slimgan_pl.callbacks.stop_on_signal import StopOnSignal
from slimgan_pl.callbacks.training_cost import TrainingCost
from slimgan_pl.evaluation.results_table import results_table
from slimgan_pl.runs.checkpoint_io import AtomicCheckpointIO
from slimgan_pl.training.sample_grid import draw_grid

__all__ = [
    "AtomicCheckpointIO",
    "Dashboards",
    "IterationCheckpoint",
    "IterationProgress",
    "ResultsTable",
    "RunRecord",
    "SampleGrid",
    "StopOnNonFinite",
    "StopOnSignal",
    "TrainingCost",
    "draw_grid",
    "results_table",
]
