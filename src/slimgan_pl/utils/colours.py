"""Colours of widths and runs in a light and a dark scheme."""

from collections.abc import Sequence
from typing import Any, Literal

__all__ = ["SCHEMES", "Scheme", "chart_config", "width_colours"]

Scheme = Literal["light", "dark"]

SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")

# From narrow to wide. Lightness is monotonic and hues are far apart, for colour-blind readers.
WIDTHS = {
    "light": ("#d97400", "#c8386e", "#74309c", "#16246b"),
    "dark": ("#ffe08a", "#ff9f7a", "#d678c9", "#7f83f7"),
}

# Okabe and Ito's hues with other lightness; runs have symbols too.
RUNS = {
    "light": ("#0072b2", "#c65300", "#00805c", "#a8427f", "#6b5b00", "#333333"),
    "dark": ("#56b4e9", "#f5a14b", "#2fc79a", "#f0a3cf", "#f0e442", "#dddddd"),
}

INK = {
    "light": {
        "text": "#1c2024",
        "soft": "#5a636e",
        "line": "#c9d0d8",
        "grid": "#e6eaee",
        "heat": ("#f3f6fc", "#9fb8ee"),
    },
    "dark": {
        "text": "#e8ebef",
        "soft": "#a3adb8",
        "line": "#4a535e",
        "grid": "#2b3138",
        "heat": ("#20283a", "#3f5cab"),
    },
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def width_colours(count: int, scheme: Scheme) -> list[str]:
    """Return a colour per width, narrow to wide.

    >>> width_colours(4, "light") == list(WIDTHS["light"])
    True
    """
    if count == 1:
        return [WIDTHS[scheme][-1]]
    places = [number * (len(WIDTHS[scheme]) - 1) / (count - 1) for number in range(count)]
    return [between(WIDTHS[scheme], place) for place in places]


def between(anchors: Sequence[str], place: float) -> str:
    """Interpolate between anchors, where 0 is the first and 1 the second."""
    first = min(int(place), len(anchors) - 2)
    lows, highs = (bytes.fromhex(anchor[1:]) for anchor in anchors[first : first + 2])
    mixed = bytes(round(low + (high - low) * (place - first)) for low, high in zip(lows, highs, strict=True))
    return f"#{mixed.hex()}"


def run_colours(count: int, scheme: Scheme) -> list[str]:
    """Return a colour per run; colours repeat if there are many."""
    return [RUNS[scheme][number % len(RUNS[scheme])] for number in range(count)]


def chart_config(num_widths: int, num_runs: int, scheme: Scheme) -> dict[str, Any]:
    """Return Vega-Lite's configuration of a scheme.

    Widths are ordinal in the charts, runs nominal, and distances quantitative, so each takes its own colours.
    """
    ink = INK[scheme]
    words = {"labelColor": ink["soft"], "titleColor": ink["soft"], "titleFontWeight": "normal"}
    return {
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            **words,
            "gridColor": ink["grid"],
            "domainColor": ink["line"],
            "tickColor": ink["line"],
            "labelFontSize": 11,
            "titleFontSize": 11,
        },
        "legend": {**words, "labelColor": ink["text"], "labelFontSize": 12, "titleFontSize": 12},
        "text": {"color": ink["text"], "fontSize": 12},
        "rule": {"color": ink["soft"]},
        "mark": {"color": ink["line"]},
        "range": {
            "ordinal": width_colours(max(num_widths, 1), scheme),
            "category": run_colours(max(num_runs, 1), scheme),
            "heatmap": list(ink["heat"]),
        },
    }
