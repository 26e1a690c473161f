"""Parts that are used without training load no library that they do not need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

OLD = Path(__file__).parents[1] / "assets" / "checkpoint_0.1.0.ckpt"

TRAINING = {"lightning", "jsonargparse", "wandb"}

UNNEEDED = {  # libraries, by module; in the order in which one process imports them, which only adds to what is loaded
    "slimgan_pl.runs.folder": {"torch", "lightning", "numpy"},
    "slimgan_pl.evaluation.metrics.registry": {"torch", "lightning", "torchmetrics"},
    "slimgan_pl.evaluation.results_table": {"torch", "lightning", "torchmetrics"},
    "slimgan_pl.runs.comparison": {"torch", "lightning", "torchmetrics"},
    "slimgan_pl.models": TRAINING,
    "slimgan_pl.profiling": TRAINING | {"altair"},
    "slimgan_pl.export": TRAINING,
    "slimgan_pl.runs.checkpoint_reader": TRAINING,
}

PROGRAM = """
import importlib, json, sys
found = {}
for name in sys.argv[2:]:
    module = importlib.import_module(name)
    if name == "slimgan_pl.runs.checkpoint_reader":
        module.load_generator(sys.argv[1])
    found[name] = sorted({each.partition(".")[0] for each in sys.modules})
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Return what is loaded after each import; after that of the reader, a checkpoint is read too."""
    command = [sys.executable, "-c", PROGRAM, str(OLD), *UNNEEDED]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, list[str]] = json.loads(printed)
    return found


@pytest.mark.parametrize("module", UNNEEDED)
def test_a_part_loads_no_library_that_it_does_not_need(module: str, loaded: dict[str, list[str]]) -> None:
    assert UNNEEDED[module].isdisjoint(loaded[module])
    assert "torch" in loaded["slimgan_pl.models"]  # or nothing would be seen
