"""Create a workspace and a report on Weights & Biases; this needs an account.

``python scripts/wandb_workspace.py --entity me --project slimgan`` from the repository's root prints their addresses.
"""

from collections.abc import Sequence

import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws
from jsonargparse import auto_cli

from slimgan_pl.callbacks.dashboards import QUANTITIES
from slimgan_pl.evaluation.metrics.registry import COLUMN_KEYS
from slimgan_pl.runs.loggers import ITERATION

__all__ = ["main", "make_report", "make_workspace"]

WIDTHS = (0.25, 0.5, 0.75, 1.0)

INTRODUCTION = "One slimmable generator per run, a line per width in each chart. Select runs below the charts."


def main(
    entity: str,
    project: str = "slimgan",
    widths: Sequence[float] = WIDTHS,
    extractor: str = "inception",
    draft: bool = True,
) -> None:
    """Save a workspace and a report.

    Args:
        entity: User or team that the project belongs to.
        project: Project that the runs were logged to.
        widths: Widths of the runs.
        extractor: Feature extractor of their evaluations.
        draft: Whether only you see the report until you publish it.
    """
    workspace = make_workspace(entity, project, widths, extractor).save()
    report = make_report(entity, project, widths, extractor)
    report.save(draft=draft)
    print(f"Workspace: {workspace.url}\nReport: {report.url}")


def make_workspace(entity: str, project: str, widths: Sequence[float], extractor: str) -> ws.Workspace:
    """Return a workspace with sections for evaluations, pictures, training and throughput."""
    return ws.Workspace(
        entity=entity,
        project=project,
        name="Widths side by side",
        sections=[
            ws.Section(name="Evaluation", panels=metric_plots(widths, extractor), is_open=True),
            ws.Section(name="Pictures", panels=[wr.MediaBrowser(media_keys=["samples"])], is_open=True),
            ws.Section(name="Training", panels=training_plots(widths), is_open=True),
            ws.Section(name="Throughput", panels=throughput_plots()),
        ],
        settings=ws.WorkspaceSettings(x_axis=ITERATION),
    )


def make_report(entity: str, project: str, widths: Sequence[float], extractor: str) -> wr.Report:
    """Return a report with the same charts, and bars of the best metrics of each run."""
    runs = [wr.Runset(entity=entity, project=project)]
    return wr.Report(
        entity=entity,
        project=project,
        title="Slimmable GANs: widths side by side",
        description=INTRODUCTION,
        blocks=[
            wr.P(INTRODUCTION),
            wr.H2("Quality of every width"),
            wr.PanelGrid(runsets=runs, panels=[*best_bars(widths, extractor), *metric_plots(widths, extractor)]),
            wr.H2("Samples of every width"),
            wr.PanelGrid(runsets=runs, panels=[wr.MediaBrowser(media_keys=["samples"])]),
            wr.H2("Training"),
            wr.PanelGrid(runsets=runs, panels=[*training_plots(widths), *throughput_plots()]),
        ],
        width="fluid",
    )


def training_plots(widths: Sequence[float]) -> list[wr.LinePlot]:
    """Return a chart of each quantity of training, with a line per width."""
    return [line_plot(name, widths) for name in QUANTITIES]


def metric_plots(widths: Sequence[float], extractor: str) -> list[wr.LinePlot]:
    """Return a chart of each metric of evaluations, with a line per width."""
    return [line_plot(metric_key(name, extractor), widths) for name in COLUMN_KEYS]


def best_bars(widths: Sequence[float], extractor: str) -> list[wr.BarPlot]:
    """Return bars of the best metrics of each run, a bar per width."""
    keys = (metric_key(name, extractor) for name in ("fid", "is"))
    return [
        wr.BarPlot(title=f"best {key}", metrics=[wr.SummaryMetric(f"best/{key}/{width:g}") for width in widths])
        for key in keys
    ]


def throughput_plots() -> list[wr.LinePlot]:
    """Return charts of the throughput of training."""
    names = ("iterations_per_second", "images_per_second", "epochs")
    return [wr.LinePlot(title=name.replace("_", " "), x=ITERATION, y=[f"pace/{name}"]) for name in names]


def line_plot(key: str, widths: Sequence[float]) -> wr.LinePlot:
    """Return a chart of a logged quantity, with a line per width."""
    return wr.LinePlot(title=key.replace("_", " "), x=ITERATION, y=[f"{key}/{width:g}" for width in widths])


def metric_key(metric: str, extractor: str) -> str:
    """Return the name of a metric in logs."""
    return metric if extractor == "inception" else f"{metric}_{extractor}"


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
