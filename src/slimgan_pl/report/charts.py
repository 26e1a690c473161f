"""Charts of a page, as Vega-Lite specifications.

Widths are ordinal, runs nominal; the page's scheme sets their colours.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt

__all__ = ["Point", "heatmap", "lines", "trade_off"]

HEIGHT = 210  # pixels of a chart; its width is that of the page's column
CELL = 44  # pixels a side of a heatmap's cell
DIGITS = 5  # significant digits of a number on the page
LEGEND = 40  # letters in a line of the legend

Spec = dict[str, Any]

DATA = alt.NamedData("points")


class Point(NamedTuple):
    """Point of a chart, and the name of its width or run."""

    x: float
    y: float
    name: str
    label: str = ""


def round_number(value: float) -> float:
    """Round to the digits that a page shows."""
    return float(f"{value:.{DIGITS}g}")


def finish(chart: Any, values: list[dict[str, Any]], description: str, height: int = HEIGHT) -> Spec:
    """Return a chart's specification without configuration and schema, which the page sets."""
    whole = chart.properties(width="container", height=height, autosize=alt.AutoSizeParams(type="fit-x"))
    spec: Spec = whole.properties(description=description).to_dict(validate=False)  # a third of a report's time
    spec["datasets"] = {DATA.name: values}
    return {key: value for key, value in spec.items() if key not in ("$schema", "config")}


def legend_of(kind: str, names: Sequence[str], **symbols: Any) -> Any:
    """Return a legend over a chart, or None for a single name."""
    if not kind or len(names) < 2:
        return None
    columns = max(1, LEGEND // (max(map(len, names)) + 4))  # so that it fits on a phone
    return alt.Legend(orient="top", title=kind, titleOrient="left", columns=columns, labelLimit=240, **symbols)


def coloured(names: Sequence[str], kind: str, legend: Any) -> Any:
    """Return the colour of lines or points."""
    scale = alt.Scale(domain=list(names))
    return alt.Color("name", type="ordinal" if kind == "width" else "nominal", scale=scale, legend=legend)


def value_axis(points: Sequence[Point], is_log: bool) -> Any:
    """Return the axis of values, linear or logarithmic."""
    if not is_log:
        return alt.Y("y", type="quantitative", axis=alt.Axis(title=None, tickCount=5), scale=alt.Scale(zero=False))
    powers = [math.floor(math.log10(point.y)) for point in points]
    ticks = [10.0**power for power in range(min(powers), max(powers) + 2)]
    axis = alt.Axis(title=None, values=ticks, format="~g")
    return alt.Y("y", type="quantitative", axis=axis, scale=alt.Scale(type="log"))


def lines(
    points: Sequence[Point], names: Sequence[str], title: str, kind: str, marks_points: bool, is_log: bool
) -> Spec:
    """Return a line over iterations per name, with values on hover.

    Args:
        points: Values over iterations.
        names: All names on the page, so that each has its colour in every chart.
        title: What a screen reader says.
        kind: ``width`` or ``run``, over the legend; nothing for a single line.
        marks_points: Whether each value is marked, as few are.
        is_log: Whether values go up by factors; they are positive then.
    """
    keys = {name: f"line{number}" for number, name in enumerate(names)}  # names may hold what fields may not
    values = [{"x": round(p.x, 1), "y": round_number(p.y), "name": p.name, "key": keys[p.name]} for p in points]
    axis = alt.Axis(title="iteration", format=",d", tickMinStep=1, grid=False, tickCount=5, labelOverlap=True)
    iterations = alt.X("x", type="quantitative", axis=axis, scale=alt.Scale(nice=False, zero=False))
    base = alt.Chart(DATA).encode(x=iterations)
    shown = alt.selection_point("shown", fields=["name"], bind="legend")
    line = base.mark_line(point={"size": 36} if marks_points else False, strokeWidth=1.5).add_params(shown)
    legend = legend_of(kind, names, symbolType="stroke", symbolStrokeWidth=3)
    line = line.encode(y=value_axis(points, is_log), color=coloured(names, kind, legend))
    line = line.encode(opacity=alt.condition(shown, alt.value(1), alt.value(0.12)))
    present = {point.name for point in points}
    titles = {keys[name]: f"{kind} {name}".strip() for name in names if name in present}
    return finish(alt.layer(line, hover_rule(base, titles)), values, title)


def hover_rule(base: Any, titles: Mapping[str, str]) -> Any:
    """Return a rule at the nearest iteration that shows all lines' values."""
    near = alt.selection_point("near", nearest=True, on="pointerover", clear="pointerout", fields=["x"], empty=False)
    tips = [alt.Tooltip(field="x", type="quantitative", title="iteration", format=",.0f")]
    tips += [alt.Tooltip(field=key, type="quantitative", title=text, format=".4g") for key, text in titles.items()]
    rule = base.transform_pivot("key", value="y", groupby=["x"]).mark_rule()
    return rule.encode(opacity=alt.condition(near, alt.value(0.6), alt.value(0)), tooltip=tips).add_params(near)


def trade_off(points: Sequence[Point], names: Sequence[str], titles: tuple[str, str], kind: str, form: str) -> Spec:
    """Return a labelled point per width, joined from cheap to dear.

    Args:
        points: Cost, metric, width or run, and label.
        names: All names on the page.
        titles: Titles of the axes: cost, metric.
        kind: What colours tell apart: ``width``, or ``run`` with a line each.
        form: Format of costs.
    """
    values = [{"x": p.x, "y": round_number(p.y), "name": p.name, "label": p.label} for p in points]
    cost = alt.Axis(title=titles[0], format=form, tickCount=5, grid=False)
    metric = alt.Axis(title=titles[1], tickCount=5)
    base = alt.Chart(DATA).encode(
        x=alt.X("x", type="quantitative", axis=cost, scale=alt.Scale(zero=False, padding=24)),
        y=alt.Y("y", type="quantitative", axis=metric, scale=alt.Scale(zero=False, padding=18)),
    )
    tips = [
        alt.Tooltip(field="name", type="nominal", title=kind),
        *([alt.Tooltip(field="label", type="nominal", title="width")] if kind == "run" else []),
        alt.Tooltip(field="x", type="quantitative", title=titles[0], format=f".4{form}"),
        alt.Tooltip(field="y", type="quantitative", title=titles[1], format=".4g"),
    ]
    link = base.mark_line(strokeWidth=1.5).encode(order=alt.Order("x", type="quantitative"))
    colour = coloured(names, kind, legend_of(kind, names) if kind == "run" else None)
    dots = base.mark_point(size=90, filled=True, opacity=1).encode(tooltip=tips, color=colour)
    if kind == "run":
        shape = alt.Shape("name", type="nominal", scale=alt.Scale(domain=list(names)), legend=legend_of(kind, names))
        link, dots = link.encode(color=colour), dots.encode(shape=shape)
    text = base.mark_text(dy=-13).encode(text=alt.Text("label", type="nominal"))
    return finish(alt.layer(link, dots, text), values, f"{titles[1]} against {titles[0]}", HEIGHT + 50)


def heatmap(matrix: Sequence[Sequence[float]], names: Sequence[str], description: str) -> Spec:
    """Return the distances between widths, each cell with its number."""
    cells = [
        {"row": row, "column": column, "value": round_number(matrix[i][j])}
        for i, row in enumerate(names)
        for j, column in enumerate(names)
    ]
    axis: dict[str, Any] = {"domain": False, "ticks": False, "labelPadding": 8, "labelAngle": 0}
    base = alt.Chart(DATA).encode(
        x=alt.X("column", type="ordinal", sort=list(names), axis=alt.Axis(title="width", orient="top", **axis)),
        y=alt.Y("row", type="ordinal", sort=list(names), axis=alt.Axis(title="width", **axis)),
    )
    colour = alt.Color("value", type="quantitative", legend=None, scale=alt.Scale(zero=True))
    squares = base.mark_rect(cornerRadius=3).encode(color=colour)
    numbers = base.mark_text().encode(text=alt.Text("value", type="quantitative", format=".3~g"))
    return finish(alt.layer(squares, numbers), cells, description, CELL * len(names))
