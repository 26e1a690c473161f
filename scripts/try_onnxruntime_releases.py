"""Try exported files on releases of ONNX Runtime: ``python scripts/try_onnxruntime_releases.py`` from the root.

It exports small nets in every ONNX form and precision, and installs each release from the floor of ``slimgan-runtime``
to the newest into a virtual environment of its own, which it deletes again. There each file is loaded from its path and
from bytes at each level of graph optimisation, and by ``slimgan-runtime``, and each width is compared with PyTorch. It
fails if a release fails that ``slimgan-runtime`` admits.
"""

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from jsonargparse import auto_cli
from onnx import ModelProto
from packaging.requirements import Requirement
from packaging.version import Version

from slimgan_pl.export.formats import FloatPrecision
from slimgan_pl.export.onnx_graphs import multi_width_graph, single_width_graph
from slimgan_pl.export.onnx_int8 import quantized_graph
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator

__all__ = ["export_forms", "main"]

ROOT = Path(__file__).resolve().parents[1]

WIDTHS = (0.25, 0.5, 1.0)
CHANNELS = (128, 64)  # multiples of 16 at each width, as the kernels of blocked layouts want them
FAMILIES = {"dcgan": DCGANGenerator, "resnet": ResNetGenerator}
NORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sliceable": {"num_classes": 3, "conditional_norm": "sliceable"},
    "switchable": {"num_classes": 3, "conditional_norm": "switchable"},
}
IMAGES = 3
TOLERANCES = {"float32": 1e-4, "float16": 0.02, "int8": 0.1}  # largest difference of an image in [-1, 1] from PyTorch

TRY = """
import glob, json, sys
import numpy as np
import onnxruntime as ort
import slimgan_runtime

def session(model, level):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, "ORT_" + level.upper())
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

def by_hand(path, way, level):
    loaded = session(path if way == "path" else open(path, "rb").read(), level)
    has_width = any(each.name == "width" for each in loaded.get_inputs())
    return lambda feed, i, width: loaded.run(None, {**feed, **({"width": np.array(i)} if has_width else {})})[0]

def by_runtime(path):
    loaded = slimgan_runtime.Runtime(path, threads=1)
    return lambda feed, i, width: loaded.generate(feed["latents"], feed.get("labels"), width)

for path in sorted(glob.glob(sys.argv[1] + "/*.onnx")):
    saved = dict(np.load(path[:-5] + ".npz"))
    widths, images = saved.pop("widths"), saved.pop("images")
    tries = {"runtime": lambda: by_runtime(path)}
    for way in ("path", "bytes"):
        for level in ("disable_all", "enable_basic", "enable_extended", "enable_all"):
            tries[way + " " + level] = lambda way=way, level=level: by_hand(path, way, level)
    for name, load in tries.items():
        try:
            run = load()
            found = max(float(np.abs(run(saved, i, w) - images[i]).max()) for i, w in enumerate(widths))
        except Exception as error:
            found = " ".join(str(error).split())
        print(json.dumps([path.replace(chr(92), "/").split("/")[-1], name, found]))
"""  # of a process that has numpy, ONNX Runtime and the runtime alone


class Answer(NamedTuple):
    """Name of a file, how it was loaded, and its largest error or what went wrong."""

    file: str
    way: str
    found: float | str


def main(releases: Sequence[str] | None = None, folder: str | None = None) -> None:
    """Try the releases and print a table.

    Args:
        releases: Such as ``[1.23.2, 1.24.1]``; all from the floor to the newest by default.
        folder: Folder to keep the files and answers in; files that are there already are tried as they are.
    """
    requirement = runtime_requirement()
    failed = []
    with TemporaryDirectory() as temporary:
        files = Path(folder or temporary) / "files"
        if not files.exists():
            files.mkdir(parents=True)
            export_forms(files)
        for release in releases or find_releases(requirement):
            answers = try_release(release, files, Path(temporary) / "venv")
            (files.parent / f"{release}.json").write_text(json.dumps(answers, indent=1))
            wrong = [answer for answer in answers if not is_right(answer)]
            worst = max((found for *_, found in answers if not isinstance(found, str)), default=float("nan"))
            print(f"{release:>8}: {len(answers) - len(wrong)} of {len(answers)} right, largest error {worst:.1e}")
            for file, way, found in wrong:
                print(f"          {file}, {way}: {str(found)[:200]}")
            failed += [release] if wrong and requirement.specifier.contains(release) else []
    sys.exit(f"slimgan-runtime admits {', '.join(failed)}" if failed else 0)


def runtime_requirement() -> Requirement:
    """Return what the runtime asks of ONNX Runtime."""
    found = re.search(r'"(onnxruntime[^"]*)"', (ROOT / "runtime" / "pyproject.toml").read_text(encoding="utf-8"))
    assert found is not None
    return Requirement(found.group(1))


def find_releases(requirement: Requirement) -> list[str]:
    """Return the releases for this Python from the floor on, oldest first; also those that exceptions rule out."""
    command = (sys.executable, "-m", "pip", "index", "versions", requirement.name)
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (line,) = re.findall("Available versions: (.*)", printed)
    floor = min(Version(each.version) for each in requirement.specifier if each.operator == ">=")
    return [release for release in reversed(line.split(", ")) if Version(release) >= floor]


def export_forms(folder: Path) -> None:
    """Write the file of each net, form and precision, and beside it inputs and PyTorch's images."""
    for family, net in FAMILIES.items():
        for norm, settings in NORMS.items():
            torch.manual_seed(0)
            generator = net(CHANNELS, latent_dim=16, widths=WIDTHS, **settings).eval()
            for name, value in generator.state_dict().items():
                if "norm" in name and value.is_floating_point():
                    value.add_(torch.rand_like(value), alpha=0.5)
            for label, widths, model in graphs_of(generator):
                save_form(model, generator, widths, folder / f"{family} {norm} {label}.onnx")


def graphs_of(generator: SlimmableGenerator) -> Iterator[tuple[str, Sequence[float], ModelProto]]:
    """Yield each form in each precision, with a name and its widths."""
    one = WIDTHS[1]
    for precision in get_args(FloatPrecision):
        yield f"{precision} all widths", WIDTHS, multi_width_graph(generator, precision)
        yield f"{precision} one width", (one,), single_width_graph(generator, one, precision)
    yield "int8 one width", (one,), quantized_graph(generator, one)


@torch.no_grad()
def save_form(model: ModelProto, generator: SlimmableGenerator, widths: Sequence[float], path: Path) -> None:
    """Write a file, and inputs and images ``(W, N, C, H, W)`` beside it."""
    path.write_bytes(model.SerializeToString())
    latents, labels = generator.draw_inputs(IMAGES, torch.Generator().manual_seed(1))
    images = [generator(latents, labels, width=width).numpy() for width in widths]
    saved: dict[str, Any] = {"widths": widths, "images": np.stack(images), "latents": latents.numpy()}
    np.savez(path.with_suffix(".npz"), **saved if labels is None else {**saved, "labels": labels.numpy()})


def try_release(release: str, files: Path, environment: Path) -> list[Answer]:
    """Install a release into a new environment, and return what it answered to each file and way of loading."""
    venv.create(environment, clear=True, with_pip=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    packages = [f"onnxruntime=={release}", "numpy<2" if Version(release) < Version("1.19") else "numpy"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    settings = {**os.environ, "PYTHONPATH": str(ROOT / "runtime" / "src"), "ORT_DISABLE_TELEMETRY": "1"}
    command = [str(python), "-c", TRY, str(files)]
    printed = subprocess.run(command, check=True, env=settings, stdout=subprocess.PIPE, text=True).stdout
    return [Answer(*json.loads(line)) for line in printed.splitlines()]


def is_right(answer: Answer) -> bool:
    """Return whether a file was loaded and its images are PyTorch's."""
    return not isinstance(answer.found, str) and answer.found < TOLERANCES[answer.file.split()[2]]


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
