"""HTML page in one self-contained file."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from slimgan_pl._version import __version__
from slimgan_pl.report.comparison import compare_runs
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.sections import all_widths, make_section
from slimgan_pl.report.summary import RunSummary
from slimgan_pl.utils.colours import SCHEMES, chart_config, width_colours

__all__ = ["make_page", "safe_json"]


def make_page(runs: Sequence[RunFiles], summaries: Sequence[RunSummary], metric: str) -> str:
    """Return runs as an HTML page, with ``metric`` first."""
    pairs = list(zip(runs, summaries, strict=True))
    widths = sorted({width for run, summary in pairs for width in all_widths(run, summary)})
    names = [f"{width:g}" for width in widths]
    script = script_with_vega()
    template = environment().get_template("template.html")
    return template.render(
        version=__version__,
        made=datetime.now(),
        sections=[make_section(run, summary, names, metric) for run, summary in pairs],
        comparison=compare_runs(runs, summaries, metric) if len(runs) > 1 else None,
        names=names,
        colours={scheme: width_colours(max(len(names), 1), scheme) for scheme in SCHEMES},
        configs={scheme: chart_config(len(names), len(runs), scheme) for scheme in SCHEMES},
        style=Markup(text_of("style.css")),
        script=Markup(script),
        policy=policy(script),
    )


def environment() -> jinja2.Environment:
    """Return the template's environment, which escapes all texts of runs."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(text_of),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["safe_json"] = safe_json
    return made


def text_of(name: str) -> str:
    return files("slimgan_pl.report").joinpath(name).read_text(encoding="utf-8")


@cache
def script_with_vega() -> str:
    return vl_convert.javascript_bundle(text_of("page.js"))


def safe_json(value: Any) -> Markup:
    r"""Return JSON that cannot end the script around it.

    >>> safe_json("</script>")
    Markup('"\\u003c/script\\u003e"')
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def policy(script: str) -> str:
    """Return a content security policy that allows this script and no requests."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    )
