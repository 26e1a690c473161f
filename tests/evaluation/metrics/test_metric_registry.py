"""A metric is one file: tables, comparisons and settings take it from the registry."""

import json
import os
import subprocess
import sys
from pathlib import Path

from slimgan_pl.evaluation.metrics.registry import BETWEEN, COLUMN_KEYS, METRICS

TOY = '''
"""Norm of the mean feature."""

from slimgan_pl.evaluation.metrics.metric import Column, Metric


def compute(images, real, device):
    return {"norm": float(images.gaussian.mean.norm())}


METRIC = Metric("norm", (Column("norm", "Norm", "lower", "{:.3f}"),), compute=compute, is_alone=True)
'''

USE = """
import json, sys
from slimgan_pl.evaluation import metrics
metrics.__path__.append(sys.argv[1])  # as if the file lay in the package
from evaluations import MeanColour, generator, noise
from rich.console import Console
from slimgan_pl.cli import main
from slimgan_pl.evaluation import EvaluationResults, Evaluator
from slimgan_pl.evaluation.results_table import results_table
found = Evaluator(MeanColour(), num_fake=20, metrics=["norm"]).evaluate(generator(), noise(20))
document = {"iteration": 5, "individual": None, **found}
with open("results.json", "w") as file:
    json.dump(document, file)
Console(width=80).print(results_table(EvaluationResults.from_json(document)))
main.main(["compare", "results.json", "results.json", "--metric", "norm", "--format", "markdown"])
"""


def test_a_metric_in_one_file_is_in_results_table_and_comparison(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "norm.py").write_text(TOY)
    paths = [str(Path(__file__).parents[2] / "helpers"), *sys.path]
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", USE, str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    norms = [row["norm_MeanColour"] for row in results["widths"]]
    assert all(norm > 0 for norm in [*norms, results["real"]["norm_MeanColour"]])
    assert "Norm ↓" in told.stdout
    assert f"{norms[0]:.3f}" in told.stdout
    assert f"**{norms[-1]:.4g}**" in told.stdout


def test_the_metrics_stand_in_the_order_of_the_table() -> None:
    assert list(METRICS) == ["fid", "kid", "is", "prdc", "mic"]
    assert COLUMN_KEYS == ("fid", "kid", "is", "precision", "recall", "density", "coverage")
    assert [column.key for column in BETWEEN] == ["mic", "agreement"]
