"""Files of the page: this package's, the generator, and ONNX Runtime Web."""

import hashlib
import html
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slimgan_pl._version import __version__
from slimgan_pl.models import SlimmableGenerator, count_macs, count_parameters
from slimgan_pl.models.metadata import METADATA_KEY
from slimgan_pl.utils.colours import SCHEMES, width_colours
from slimgan_pl.utils.files import check_folder, write_whole

if TYPE_CHECKING:
    from onnx import ModelProto  # of the extra onnx

__all__ = ["POLICY", "width_facts", "write_site"]

SITE = "site"  # the folder within this package
LICENSE = "LICENSE.txt"  # the licence of ONNX Runtime Web
DIGITS = 16  # hexadecimal digits of a generator's digest
BYTES = {"float32": 4, "float16": 2}  # bytes per weight

POLICY = (  # scripts, data and styles of the page's own server, and nothing of any other
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
)

DARK = ':root[data-theme="dark"]', '@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {} }}'


def width_facts(
    generator: SlimmableGenerator, metrics: Mapping[float, Mapping[str, float]] | None = None
) -> list[dict[str, Any]]:
    """Return the facts that the page shows of each width.

    Args:
        generator: The generator.
        metrics: Per width the metrics of its images by name, such as ``{0.5: {"FID": 3.2}}``; each becomes a column
            of the page's table.
    """
    return [
        {
            "width": width,
            "parameters": count_parameters(generator, width),
            "macs": count_macs(generator, width),
            "metrics": dict((metrics or {}).get(width, {})),
        }
        for width in generator.widths
    ]


def write_site(
    model: "ModelProto", folder: Path, title: str, widths: Sequence[Mapping[str, Any]], runtime: Mapping[str, bytes]
) -> list[Path]:
    """Write a page that samples with a generator, for any web server.

    Args:
        model: An exported generator, of one width or of several.
        folder: The folder; files of the same names in it are replaced.
        title: Title of the page.
        widths: The facts of :func:`width_facts`, from narrow to wide.
        runtime: The files of ONNX Runtime Web.

    Returns:
        The files that were written.

    Raises:
        SlimGANError: If there is a file in the folder's place.
    """
    check_folder(folder)
    (folder / "ort").mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in site_files(model, title, widths, runtime).items():
        write_whole(folder / name, content)
        written.append(folder / name)
    return written


def site_files(
    model: "ModelProto", title: str, widths: Sequence[Mapping[str, Any]], runtime: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the content of each file by its path in the folder.

    In ``facts.json``, ``bytes`` counts what the page loads before its first image. The page asks for the generator by
    its ``digest``, so that a browser never takes one of an earlier export from its cache.
    """
    result = {path.name: path.read_bytes() for path in files(__package__).joinpath(SITE).iterdir()}
    result[f"ort/{LICENSE}"] = result.pop(LICENSE)
    # Many servers know scripts by ``.js``, not by ``.mjs``.
    result |= {f"ort/{name.replace('.mjs', '.js')}": content for name, content in runtime.items()}
    result["generator.onnx"] = model.SerializeToString()
    result["widths.css"] = width_styles(len(widths)).encode()
    loaded = sum(len(content) for name, content in result.items() if name.endswith((".onnx", ".wasm")))
    digest = hashlib.sha256(result["generator.onnx"]).hexdigest()[:DIGITS]
    known = facts(model, title, widths) | {"bytes": loaded, "digest": digest}
    result["facts.json"] = json.dumps(known, indent=1, allow_nan=False).encode()
    words = {"title": title, "version": __version__, "policy": POLICY}
    page = result["index.html"].decode()
    for name, word in words.items():
        page = page.replace(f"{{{name}}}", html.escape(word))
    result["index.html"] = page.encode()
    return result


def facts(model: "ModelProto", title: str, widths: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the contract of the generator with title and widths."""
    (stored,) = (entry.value for entry in model.metadata_props if entry.key == METADATA_KEY)
    contract = json.loads(stored)
    per_weight = BYTES[contract["precision"]]
    sized = [
        {**width, "metrics": finite(width.get("metrics") or {}), "bytes": width["parameters"] * per_weight}
        for width in widths
    ]
    return {**contract, "title": title, "widths": sized}


def finite(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return metrics for JSON, with None in place of NaN and infinity."""
    return {name: value if value is not None and math.isfinite(value) else None for name, value in metrics.items()}


def width_styles(count: int) -> str:
    """Return style rules with each width's colour in both schemes."""
    rules = {}
    for scheme in SCHEMES:
        colours = width_colours(count, scheme)
        rules[scheme] = "{ " + " ".join(f"--width-{number}: {colour};" for number, colour in enumerate(colours)) + " }"
    chosen, followed = DARK
    return f":root {rules['light']}\n{followed.format(rules['dark'])}\n{chosen} {rules['dark']}\n"
