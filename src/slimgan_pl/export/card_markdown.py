"""Model card as Markdown, by the template ``model_card.md.jinja``."""

from collections.abc import Mapping
from functools import cache
from shlex import quote
from typing import Any

import jinja2

from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.evaluation.results_table import caption, cell
from slimgan_pl.export.formats.registry import load_format
from slimgan_pl.utils.formatting import compact, duration, macs_text

__all__ = ["make_markdown", "make_snippets"]

TEMPLATE = "model_card.md.jinja"
COUNT = 8  # images that a snippet generates


def make_markdown(card: Mapping[str, Any]) -> str:
    """Return a card as Markdown with YAML in front.

    Args:
        card: Plain values of ``make_card``, or of ``model_card.json``.
    """
    formats = [load_format(file["kind"]) for file in card["files"]]
    tags, taker = sorted({each.tag for each in formats}), formats[0].taker
    template = environment().get_template(TEMPLATE)
    return template.render(card=card, tags=tags, taker=taker, snippets=make_snippets(card), metrics=metrics_of(card))


def make_snippets(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a sentence and Python code for each way to sample."""
    net = card["generator"]
    shape = f"({COUNT}, {net['image_channels']}, {net['image_size']}, {net['image_size']})"
    found = []
    for name in dict.fromkeys(file["kind"] for file in card["files"]):
        context = {"file": choose_file(card, name), "generator": net, "count": COUNT, "shape": shape}
        for text, template in load_format(name).snippets:
            found.append((text, environment().from_string(template).render(context)))
    return found


def choose_file(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the widest file of a format, in float32 if possible."""
    of_format = [file for file in card["files"] if file["kind"] == name]
    exact = [file for file in of_format if file["precision"] == "float32"]
    return max(exact or of_format, key=lambda file: max(file["widths"]))


def metrics_of(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return metric names, caption, and table cells by width; empty without results."""
    if card["evaluation"] is None:
        return {"names": [], "caption": "", "cells": {}}
    results = EvaluationResults.from_json(card["evaluation"])
    rows = {row["width"]: results.row(row["width"]) for row in card["widths"]}
    return {
        "names": [f"{results.label(column.key)} {column.arrow}" for column in results.columns],
        "caption": (caption(results) or "").replace("\n", "; "),
        "cells": {
            width: ["" if row is None else cell(column, row, results) for column in results.columns]
            for width, row in rows.items()
        },
    }


@cache
def environment() -> jinja2.Environment:
    """Return the environment that fills the template and the snippets of formats."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, ""),
        autoescape=False,  # Markdown, not HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "cell": lambda text: text.replace("|", r"\|"),
        "compact": compact,
        "duration": duration,
        "listed": list_values,
        "macs": macs_text,
        "number": "{:g}".format,
        "quote": quote,
        "size": size_text,
        "title_of": lambda name: load_format(name).title,
    }
    return made


def list_values(value: Any) -> str:
    """Return nested plain values in one line, without those that are None.

    >>> list_values({"real_split": "test", "seeds": [0, 1], "data": None})
    'real split test, seeds 0 1'
    """
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')} {list_values(item)}" for name, item in value.items() if item is not None
        )
    return " ".join(map(list_values, value)) if isinstance(value, list) else str(value)


def size_text(count: int) -> str:
    """Return a number of bytes.

    >>> size_text(297537), size_text(12)
    ('298 kB', '12 B')
    """
    text = compact(count)
    return f"{text}B" if " " in text else f"{text} B"
