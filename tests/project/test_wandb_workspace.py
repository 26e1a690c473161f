"""The workspace and the report show every width of what runs log."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from slimgan_pl.callbacks.dashboards import QUANTITIES

pytest.importorskip("wandb_workspaces")

SCRIPT = Path(__file__).parents[2] / "scripts" / "wandb_workspace.py"

WIDTHS = (0.25, 1.0)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wandb_workspace", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wandb_workspace"] = module
    spec.loader.exec_module(module)
    return module


def lines(panels: list[Any]) -> set[str]:
    """Return the keys that line plots show over iterations."""
    return {key for panel in panels if type(panel).__name__ == "LinePlot" for key in names(panel.y)}


def names(metrics: list[Any]) -> list[str]:
    return [getattr(metric, "name", metric) for metric in metrics]


EXPECTED = {
    *(f"{name}/{width:g}" for name in QUANTITIES for width in WIDTHS),
    *(f"{name}_digits/{width:g}" for name in ("fid", "kid", "is", "precision", "recall") for width in WIDTHS),
    "pace/iterations_per_second",
}


def test_the_workspace_has_a_line_per_width_of_each_quantity_over_iterations(script: ModuleType) -> None:
    workspace = script.make_workspace("me", "slimgan", WIDTHS, "digits")
    panels = [panel for section in workspace.sections for panel in section.panels]
    assert lines(panels) >= EXPECTED
    assert {getattr(p.x, "name", p.x) for p in panels if type(p).__name__ == "LinePlot"} == {"iteration"}
    view = json.loads(workspace._to_model().model_dump_json())  # what would be sent
    assert view["project"] == "slimgan"
    assert "generator_loss/0.25" in json.dumps(view)


def test_the_report_compares_the_best_of_runs_and_shows_what_the_workspace_does(script: ModuleType) -> None:
    report = script.make_report("me", "slimgan", WIDTHS, "digits")
    grids = [block for block in report.blocks if type(block).__name__ == "PanelGrid"]
    panels = [panel for grid in grids for panel in grid.panels]
    assert lines(panels) >= EXPECTED
    bars = {key for panel in panels if type(panel).__name__ == "BarPlot" for key in names(panel.metrics)}
    assert bars == {f"best/{name}_digits/{width:g}" for name in ("fid", "is") for width in WIDTHS}
    assert "samples" in {key for p in panels if type(p).__name__ == "MediaBrowser" for key in p.media_keys}


def test_metrics_of_inception_carry_no_name(script: ModuleType) -> None:
    assert script.metric_key("fid", "inception") == "fid"
