"""How training goes, in words: the pace in one line, and a line per width."""

from collections.abc import Mapping
from datetime import timedelta

import torch
from lightning.pytorch import LightningModule
from rich.table import Table

from slimgan_pl.training import TrainedModule

__all__ = ["pace_line", "width_lines", "width_table"]

SHORT = {
    "discriminator_loss": "D",
    "generator_loss": "G",
    "distillation_loss": "distill",
    "real_logits": "real",
    "fake_logits": "fake",
}


def duration(seconds: float) -> str:
    """Return a time in hours, minutes and seconds.

    >>> duration(75), duration(200_000)
    ('0:01:15', '2 days, 7:33:20')
    """
    return str(timedelta(seconds=round(seconds)))


def pace_line(model: LightningModule) -> str:
    """Return how fast training is and how long it takes yet, as far as it is known."""
    pace = model.pace() if isinstance(model, TrainedModule) and model.pace is not None else {}
    forms = {
        "iterations_per_second": "{:.3g} iterations/s",
        "images_per_second": "{:,.0f} images/s",
        "epochs": "{:.1f} epochs",
    }
    parts = [form.format(pace[name]) for name, form in forms.items() if name in pace]
    if "seconds_left" in pace:
        parts.append(f"{duration(pace['seconds_left'])} left")
    return ", ".join(parts)


def width_figures(model: LightningModule) -> dict[str, dict[str, float]]:
    """Return figures by width and short name, of the newest iteration that has settled."""
    report = model.settled_report if isinstance(model, TrainedModule) else None
    if report is None or not isinstance(model, TrainedModule):
        return {}
    figures: dict[str, dict[str, float]] = {}
    named = model.per_width({name: report.figures[name] for name in SHORT if name in report.figures})
    for key, value in zip(named, torch.stack(list(named.values())).tolist(), strict=True):  # one wait for the device
        name, width = key.split("/")
        figures.setdefault(width, {})[SHORT[name]] = value
    return dict(sorted(figures.items(), key=lambda item: float(item[0])))


def width_lines(model: LightningModule) -> list[str]:
    """Return a line per width for a log, in 80 characters."""
    figures = width_figures(model)
    return [
        f"  width {width:<5}" + "".join(f"  {name} {number(row.get(name)):>7}" for name in names_in(figures))
        for width, row in figures.items()
    ]


def width_table(model: LightningModule) -> Table:
    """Return a row per width for a terminal."""
    figures = width_figures(model)
    table = Table("width", box=None, pad_edge=False, header_style="dim")
    for name in names_in(figures):
        table.add_column(name, justify="right", min_width=7)
    for width, row in figures.items():
        table.add_row(width, *(number(row.get(name)) for name in names_in(figures)))
    return table


def names_in(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the short names that a width has a figure of."""
    return [name for name in SHORT.values() if any(name in row for row in figures.values())]


def number(value: float | None) -> str:
    """Return a number in seven characters, or a dash for none.

    >>> number(-1.2345), number(12345.678), number(0.00012345)
    ('-1.234', '1.2e+04', '0.00012')
    """
    if value is None:
        return "-"
    return f"{value:.3f}" if 0.01 <= abs(value) < 1000 else f"{value:.2g}"
