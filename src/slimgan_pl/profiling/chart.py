"""A profile as a picture. Needs the extra ``report``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert  # noqa: F401  # altair makes PNGs with it

from slimgan_pl.profiling.table import describe, milliseconds
from slimgan_pl.utils.files import replacing
from slimgan_pl.utils.formatting import compact

__all__ = ["save_picture"]

SIDES = {"width": 320, "height": 280}  # points of a panel

SCALE = 2  # pixels a point

TICKS = [digit * 10.0**power for power in range(-4, 9) for digit in (1, 2, 5)]

P95_SIZE = 14  # points of the bar at the 95th percentile

BELOW, ABOVE = 11, -9  # points of text below a rising line's points, and above a falling line's


def save_picture(profile: dict[str, Any], name: str, path: Path) -> None:
    """Draw latency and images a second against the width as a PNG.

    Args:
        profile: Profile as ``slimgan profile`` writes it to JSON.
        name: The checkpoint or the configuration.
        path: The PNG.
    """
    base = base_chart(profile)
    bars = base.mark_rule(strokeWidth=1.5).encode(y=log_axis("median"), y2="p95:Q")
    ends = base.mark_tick(size=P95_SIZE, thickness=1.5, orient="horizontal").encode(y="p95:Q")
    subtitle = "median; the bar ends at the 95th percentile"
    latency = panel(base, "median", BELOW, "Milliseconds a batch", subtitle, [bars, ends])
    chart = alt.hconcat(latency, panel(base, "rate", ABOVE, "Images a second", "by the median"), spacing=36)
    title = alt.Title(name, subtitle=describe(profile), anchor="start", fontSize=15, subtitleFontSize=12, offset=12)
    chart = chart.properties(title=title, padding=16, background="white").configure_view(stroke=None)
    chart = chart.configure_axis(gridColor="#e8e8e8", domain=False, tickColor="#cccccc", titleFontWeight="normal")
    chart = chart.configure_legend(orient="top", title=None, labelFontSize=12, symbolType="stroke", symbolStrokeWidth=3)
    with replacing(path) as file:
        chart.save(file, format="png", scale_factor=SCALE)


def panel(
    base: alt.Chart, field: str, dy: int, title: str, subtitle: str, behind: Sequence[alt.Chart] = ()
) -> alt.LayerChart:
    """Return a line with points and values, in front of other marks."""
    y = log_axis(field)
    line = base.mark_line(strokeWidth=2, point={"size": 50, "filled": True}).encode(y=y)
    side: dict[str, Any] = {"align": "left", "dx": 5, "dy": dy, "fontSize": 11}
    texts = base.mark_text(stroke="white", strokeWidth=4, **side), base.mark_text(**side)  # white hides lines behind
    chart = alt.layer(*behind, line, *(mark.encode(y=y, text=f"{field}_text:N") for mark in texts))
    heading = alt.Title(title, subtitle=subtitle, anchor="start", fontSize=13, subtitleColor="#666666")
    titled: alt.LayerChart = chart.properties(title=heading)
    return titled


def log_axis(field: str) -> alt.Y:
    scale = alt.Scale(type="log", nice=False, padding=28)
    return alt.Y(f"{field}:Q", title=None, scale=scale, axis=alt.Axis(values=TICKS))


def base_chart(profile: dict[str, Any]) -> alt.Chart:
    """Return the data, with widths and MACs along the axis."""
    names = {f"{row['width']:g}": [f"{row['width']:g}", compact(row["macs"])] for row in profile["widths"]}
    axis = alt.Axis(
        values=[row["width"] for row in profile["widths"]],
        labelExpr=f"{json.dumps(names)}[format(datum.value, '~g')]",
        title="width, and multiply-accumulates for one image",
    )
    x = alt.X("width:Q", axis=axis, scale=alt.Scale(zero=False, padding=36))
    rows = points(profile)
    order = list(dict.fromkeys(row["batch"] for row in rows))
    colour = alt.Color("batch:N", sort=order, scale=alt.Scale(scheme="tableau10"))
    chart: alt.Chart = alt.Chart(alt.InlineData(values=rows)).properties(**SIDES).encode(x=x, color=colour)
    return chart


def points(profile: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row per width and batch size."""
    return [
        {
            "width": row["width"],
            "batch": f"batch of {entry['batch_size']}",
            "median": 1000 * entry["median_s"],
            "median_text": milliseconds(entry["median_s"]),
            "p95": 1000 * entry["p95_s"],
            "rate": entry["images_per_second"],
            "rate_text": f"{entry['images_per_second']:,.0f}",
        }
        for row in profile["widths"]
        for entry in row["latency"]
    ]
