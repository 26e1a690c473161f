"""Lightning callbacks: checkpoints, sample grids, the table of results, progress, guards."""

from slimgan_pl.callbacks.checkpoint import AtomicCheckpointIO, IterationCheckpoint
from slimgan_pl.callbacks.cost import TrainingCost
from slimgan_pl.callbacks.dashboards import Dashboards
from slimgan_pl.callbacks.finite import StopOnNonFinite
from slimgan_pl.callbacks.progress import IterationProgress
from slimgan_pl.callbacks.record import RunRecord
from slimgan_pl.callbacks.results import ResultsTable
from slimgan_pl.callbacks.samples import SampleGrid, draw_grid
from slimgan_pl.callbacks.stopping import StopOnSignal
from slimgan_pl.callbacks.table import results_table

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
