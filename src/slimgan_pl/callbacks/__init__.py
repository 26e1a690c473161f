"""Lightning callbacks: checkpoints, sample grids, the table of results, progress, guards."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_HOMES = {  # modules, which are imported when a name is first used
    "AtomicCheckpointIO": "slimgan_pl.runs.checkpoint_io",
    "Dashboards": "slimgan_pl.callbacks.dashboards",
    "IterationCheckpoint": "slimgan_pl.callbacks.checkpoint",
    "IterationProgress": "slimgan_pl.callbacks.progress",
    "ResultsTable": "slimgan_pl.callbacks.results",
    "RunRecord": "slimgan_pl.callbacks.run_config",
    "SampleGrid": "slimgan_pl.callbacks.samples",
    "StopOnNonFinite": "slimgan_pl.callbacks.nonfinite",
    "StopOnSignal": "slimgan_pl.callbacks.stop_on_signal",
    "TrainingCost": "slimgan_pl.callbacks.training_cost",
    "draw_grid": "slimgan_pl.training.sample_grid",
    "results_table": "slimgan_pl.evaluation.results_table",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
