"""Speed and memory of generating images: ``python benchmarks/inference.py --json FILE`` from the repository's root.

It compares the whole generator run at a width, that width's slice, the slice folded for inference, and on a CPU ONNX
Runtime with a file of that width and with one file of all widths. The nets have random weights.
"""

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jsonargparse import auto_cli
from measuring import best_device, machine, medians, peak_memory, print_rows, print_table, save_json

from slimgan_pl.export.onnx_graphs import multi_width_graph, single_width_graph
from slimgan_pl.export.ort import onnxruntime
from slimgan_pl.models import (
    DCGANGenerator,
    Inputs,
    R3Generator,
    ResNetGenerator,
    SlimmableGenerator,
    StyleGAN2Generator,
    count_macs,
    folded_slice,
)
from slimgan_pl.profiling.latency import make_inputs

NETS: dict[str, Callable[[], SlimmableGenerator]] = {
    "dcgan-32": lambda: DCGANGenerator((512, 256, 128, 64)),
    "resnet-32": lambda: ResNetGenerator((256, 256, 256, 256)),
    "resnet-32-small": lambda: ResNetGenerator((64, 64, 64, 64)),
    "r3-32": lambda: R3Generator((256, 256, 256, 256)),
    "stylegan2-64": lambda: StyleGAN2Generator((128, 128, 128, 64, 32), latent_dim=128, mapping_layers=2),
    "conditional-resnet-32": lambda: ResNetGenerator((256, 256, 256, 256), num_classes=10),
}
DEFAULT_NETS = ("dcgan-32", "resnet-32", "resnet-32-small")
REST = 0.06  # seconds; idle threads of ONNX Runtime wait in a loop for about 0.035

Row = dict[str, float]
Runner = Callable[[dict[str, Any]], object]


def main(
    nets: Sequence[str] = DEFAULT_NETS,
    batch_sizes: Sequence[int] = (1, 64),
    rounds: int = 5,
    memory: bool = True,
    json: str | None = None,
) -> None:
    """Measure every width.

    Args:
        nets: Which of dcgan-32, resnet-32, resnet-32-small, r3-32, stylegan2-64 and conditional-resnet-32.
        batch_sizes: Images in a batch.
        rounds: Timed batches of more than 16 images, smaller ones eight times as often; the median counts.
        memory: Whether to measure the peak memory of the largest batch too.
        json: File to write the measurements to.
    """
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    peaks = {name: memory_of(name, max(batch_sizes)) for name in nets} if memory else {}
    measured = {}
    for name in nets:
        rows = speed(name, batch_sizes, rounds)
        for row in rows:
            if memory and row["batch_size"] == max(batch_sizes):
                row.update({f"{kind}_peak_bytes": peak[row["width"]] for kind, peak in peaks[name].items()})
        show(name, rows)
        measured[name] = rows
    save_json(measured, json)


@torch.no_grad()
def speed(name: str, batch_sizes: Sequence[int], rounds: int) -> list[Row]:
    """Time the whole, the slice and the folded slice in turns; return a row per width and batch size."""
    generator = build(name)
    macs = {width: count_macs(generator, width) for width in generator.widths}
    runners, rows = onnx_runners(generator), []
    for batch_size in batch_sizes:
        inputs = make_inputs(generator, batch_size)
        for width in generator.widths:
            seconds = time_width(generator, runners, width, inputs, rounds * (8 if batch_size <= 16 else 1))
            row = {"width": width, "batch_size": batch_size, **{f"{key}_s": value for key, value in seconds.items()}}
            row["images_per_s"] = batch_size / seconds["folded"]
            row["whole_over_slice"] = seconds["whole"] / seconds["slice"]
            row["whole_over_folded"] = seconds["whole"] / seconds["folded"]
            if "onnx" in seconds:
                row["whole_over_onnx"] = seconds["whole"] / seconds["onnx"]
                row["multi_over_onnx"] = seconds["onnx_multi"] / seconds["onnx"]
            row["mac_share"] = macs[width] / macs[1.0]
            row["weight_bytes"] = num_bytes(generator.slice(width))
            rows.append(row)
    full = {row["batch_size"]: row["folded_s"] for row in rows if row["width"] == 1.0}
    for row in rows:
        row["ideal_s"] = row["mac_share"] * full[row["batch_size"]]
    return rows


def onnx_runners(generator: SlimmableGenerator) -> dict[str, dict[float, Runner]]:
    """Return functions that run ONNX Runtime at each width, on its own file and on the file of all widths."""
    if best_device().type != "cpu":
        return {}
    multi = session_of(multi_width_graph(generator))
    runners: dict[str, dict[float, Runner]] = {"onnx": {}, "onnx_multi": {}}
    for index, width in enumerate(generator.widths):
        single, number = session_of(single_width_graph(generator, width)), np.array(index)
        runners["onnx"][width] = partial(single.run, None)
        runners["onnx_multi"][width] = partial(run_at, multi, number)
    return runners


def run_at(session: onnxruntime.InferenceSession, number: np.ndarray, feed: dict[str, Any]) -> object:
    """Run the width of a number."""
    return session.run(None, {**feed, "width": number})


def session_of(model: Any) -> onnxruntime.InferenceSession:
    """Return a session on as many threads as PyTorch has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def time_width(
    generator: SlimmableGenerator,
    runners: Mapping[str, Mapping[float, Runner]],
    width: float,
    inputs: Inputs,
    rounds: int,
) -> dict[str, float]:
    """Return the median seconds of one batch, after two that do not count."""
    latents, labels = inputs
    feed = {"latents": latents.numpy(force=True)} | ({} if labels is None else {"labels": labels.numpy(force=True)})
    narrow, folded = generator.slice(width), folded_slice(generator, width)
    functions: dict[str, Callable[[], object]] = {
        "whole": lambda: generator(*inputs, width=width),
        "slice": lambda: narrow(*inputs),
        "folded": lambda: folded(*inputs),
        **{name: partial(runner[width], feed) for name, runner in runners.items()},
    }
    medians(functions, 2)
    return medians(functions, rounds, rest=REST)


def memory_of(name: str, batch_size: int) -> dict[str, dict[float, int]]:
    """Return the bytes of a batch beside the weights, per kind and width, each kind in a process of its own."""
    peaks = {}
    for kind in ("whole", "folded"):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peaks[kind] = pool.apply(measure_peaks, (name, kind, batch_size))
    return peaks


@torch.no_grad()
def measure_peaks(name: str, kind: str, batch_size: int) -> dict[float, int]:
    """Return the bytes that a batch adds at each width; they ascend, since a process's peak never falls."""
    generator = build(name)
    inputs = make_inputs(generator, 1)
    folded = {width: folded_slice(generator, width) for width in generator.widths}
    folded[1.0](*inputs)  # the first convolution loads its library
    inputs, before, peaks = make_inputs(generator, batch_size), peak_memory(), {}
    for width in generator.widths:
        folded[width](*inputs) if kind == "folded" else generator(*inputs, width=width)
        peaks[width] = peak_memory() - before
    return peaks


def build(name: str) -> SlimmableGenerator:
    """Return a net in evaluation mode, on the device that is measured."""
    return NETS[name]().to(best_device()).eval()


def num_bytes(generator: SlimmableGenerator) -> int:
    """Return the size of weights and statistics."""
    return sum(tensor.nbytes for tensor in generator.state_dict().values())


COLUMNS: dict[str, Callable[[Row], Any]] = {
    "batch": lambda row: row["batch_size"],
    "width": lambda row: f"{row['width']:g}",
    "whole ms": lambda row: f"{row['whole_s'] * 1e3:.2f}",
    "slice ms": lambda row: f"{row['slice_s'] * 1e3:.2f}",
    "folded ms": lambda row: f"{row['folded_s'] * 1e3:.2f}",
    "ONNX ms": lambda row: milliseconds(row.get("onnx_s")),
    "multi ms": lambda row: milliseconds(row.get("onnx_multi_s")),
    "ideal ms": lambda row: f"{row['ideal_s'] * 1e3:.2f}",
    "images/s": lambda row: f"{row['images_per_s']:,.0f}",
    "slice x": lambda row: f"{row['whole_over_slice']:.2f}",
    "folded x": lambda row: f"{row['whole_over_folded']:.2f}",
    "ONNX x": lambda row: ratio(row.get("whole_over_onnx")),
    "multi/ONNX": lambda row: ratio(row.get("multi_over_onnx")),
    "MACs": lambda row: f"{row['mac_share']:.1%}",
    "weights MB": lambda row: f"{row['weight_bytes'] / 1e6:.2f}",
    "peak MB: whole": lambda row: megabytes(row.get("whole_peak_bytes")),
    "folded": lambda row: megabytes(row.get("folded_peak_bytes")),
}


def show(name: str, rows: list[Row]) -> None:
    """Print a row per batch size and width.

    Images a second and the ideal, which scales with the MACs, are the folded slice's; x is how many times faster than
    the whole, and multi/ONNX the time of the file of all widths over that of the file of one.
    """
    cells = [[str(column(row)) for column in COLUMNS.values()] for row in rows]
    print_rows(f"{name}, medians of turns", list(COLUMNS), cells)


def milliseconds(seconds: float | None) -> str:
    """Return a time in milliseconds, or nothing."""
    return "" if seconds is None else f"{seconds * 1e3:.2f}"


def ratio(value: float | None) -> str:
    """Return a ratio, or nothing."""
    return "" if value is None else f"{value:.2f}"


def megabytes(count: float | None) -> str:
    """Return a number of bytes in megabytes, or nothing."""
    return "" if count is None else f"{count / 1e6:.0f}"


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
