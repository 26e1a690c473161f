"""``slimgan export``: a trained generator as files for other programs and devices."""

from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Literal, get_args

from slimgan_pl.cli.next_steps import shown
from slimgan_pl.errors import SlimGANError, check_choice
from slimgan_pl.export.exported_file import ExportedFile, Kind, Precision, files_table
from slimgan_pl.export.folder import filling, find_output
from slimgan_pl.export.frechet import Distances, prepare_distances
from slimgan_pl.export.model_card import CARD_MARKDOWN, write_card
from slimgan_pl.export.parity import compared
from slimgan_pl.export.web import runtime_files
from slimgan_pl.export.web.page import write_page
from slimgan_pl.export.writers import Draw, check_onnx, write_files
from slimgan_pl.layers import width_index
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.runs.checkpoints import read_source
from slimgan_pl.utils.terminal import print_whole

__all__ = ["Format", "export"]

Format = Literal["safetensors", "onnx", "onnx-multi", "web"]


def export(
    ckpt_path: str,
    format: Format = "onnx-multi",
    width: float | Literal["all"] = "all",
    output: str = "export",
    precision: Precision = "float32",
    fold: bool = False,
    extractor: str | None = None,
    weights_path: str | None = None,
    num_fake: int | None = None,
    data_root: str | None = None,
    overwrite: bool = False,
    onnxruntime_web: str | None = None,
    trust_checkpoint: bool = False,
) -> None:
    """Write the generator of a checkpoint for other programs and devices, with a model card.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        format: safetensors: a file per width, for PyTorch; onnx: a file per width; onnx-multi: one file with all widths
            over one set of weights, and the width an input; web: a folder of static files, for browsers.
        width: One of the generator's widths, or ``all``.
        output: Folder to write: new, empty, or of an earlier export if ``overwrite`` is given.
        precision: Of the weights. float16 halves the files; int8, for onnx alone, is ONNX Runtime's quantisation.
        fold: Make batch norms part of the layers around them in safetensors, for inference alone; ONNX always does.
        extractor: Name of a feature extractor, such as inception or digits, by which the Fréchet distances of the files
            are compared with PyTorch's, on the data that the checkpoint names.
        weights_path: File of the extractor's weights.
        num_fake: Images of each file and width that it judges; by default as many as the checkpoint was judged by.
        data_root: Folder of the data set, in place of the one in training.
        overwrite: Replace an earlier export.
        onnxruntime_web: The npm package of onnxruntime-web as a .tgz file, for the web format on a machine without npm.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
    """
    check_options(format, width, precision, fold, onnxruntime_web)
    if extractor is None:
        check_unused(weights_path=weights_path, num_fake=num_fake, data_root=data_root)
    folder = find_output(output, overwrite)
    source = read_source(ckpt_path, trust_checkpoint)
    widths = chosen_widths(source.model.generator, width)
    if format != "safetensors":
        check_onnx()
    runtime = runtime_files(onnxruntime_web) if format == "web" else {}
    judge = None
    if extractor is not None:
        judge = prepare_distances(source, extractor, weights_path, num_fake, data_root, trust_checkpoint)
    kind: Kind = "onnx-multi" if format == "web" else format
    with filling(folder) as scratch:
        files: list[ExportedFile] = []
        draws: dict[tuple[str, float], Draw] = {}
        page: list[Path] = []
        stamp = None
        for written in write_files(source.model.generator, kind, widths, scratch, precision, fold):
            if format == "web" and written.graph is not None:
                page = write_page(scratch, source, written.graph, runtime)
            files.append(compared(written, source.model.generator, kind, precision, fold))
            if judge is not None:
                draws |= {(written.path.name, each): written.draw for each in written.widths}
        if judge is not None:
            print(f"Judging {len(draws)} sets of images by {extractor} ...")
            found = judge.changes(draws)
            files, stamp = [with_distances(file, found) for file in files], found.stamp
        write_card(scratch, source, files, stamp, page)
    print_whole(files_table(files))
    print(f"Model card: {shown(folder / CARD_MARKDOWN)}")
    if format == "web":
        print(f"Serve it: python -m http.server --bind 127.0.0.1 --directory {quote(shown(folder))}")


def check_options(
    format: Format,
    width: float | str,
    precision: Precision,
    fold: bool,
    onnxruntime_web: str | None,
) -> None:
    """Raise a SlimGANError where options do not go together."""
    check_choice("--format", format, get_args(Format))
    check_choice("--precision", precision, get_args(Precision))
    if width != "all" and format in ("onnx-multi", "web"):
        raise SlimGANError(
            f"--format {format} holds all widths; leave --width out, or take --format onnx for one of them"
        )
    if precision == "int8" and format != "onnx":
        raise SlimGANError(f"int8 needs a file per width, so --format {format} cannot hold it; take --format onnx")
    if fold and format != "safetensors":
        raise SlimGANError("--fold is for safetensors; ONNX files are folded in any case, so leave it out")
    if onnxruntime_web is not None and format != "web":
        raise SlimGANError("--onnxruntime_web is for --format web; leave it out")


def check_unused(**options: object) -> None:
    """Raise a SlimGANError where there are options for the Fréchet distance, and no extractor for it."""
    for name, value in options.items():
        if value is not None:
            raise SlimGANError(f"--{name} is for the Fréchet distance; name an --extractor too, or leave it out")


def chosen_widths(generator: SlimmableGenerator, width: float | Literal["all"]) -> tuple[float, ...]:
    """Return all widths, or the one that is asked for.

    Raises:
        SlimGANError: If it is not in the list.
    """
    if width == "all":
        return generator.widths
    return (generator.widths[width_index(generator.widths, width)],)


def with_distances(file: ExportedFile, found: Distances) -> ExportedFile:
    """Return a file with what it does to the Fréchet distance."""
    errors = []
    for error in file.errors:
        distance, change = found.found[file.name, error.width]
        errors.append(replace(error, distance=distance, distance_change=change))
    return replace(file, errors=tuple(errors))
