"""``slimgan export``: a trained generator as files for other programs and devices."""

from typing import Literal

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.formats import FormatName, Precision
from slimgan_pl.utils.weights import Weights

__all__ = ["export"]


def export(
    ckpt_path: str,
    format: FormatName = "onnx-multi",
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
    weights: Weights = "averaged",
    truncation: float = 1.0,
) -> None:
    """Write a checkpoint's generator for other programs, with a model card.

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
        num_fake: Images of each file and width for that; by default as many as in the checkpoint's evaluation.
        data_root: Folder of the data set, in place of the one in training.
        overwrite: Replace an earlier export.
        onnxruntime_web: The npm package of onnxruntime-web as a .tgz file, for the web format on a machine without npm.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
        weights: The averaged weights where training has kept an average, or the raw ones.
        truncation: Share of the styles' distance from their mean that stays, 0 to 1, for nets with styles such as
            StyleGAN2: less varied images of fewer faults.
    """
    from slimgan_pl.export.export_checkpoint import export_checkpoint
    from slimgan_pl.export.folder import find_output
    from slimgan_pl.export.formats.registry import make_format
    from slimgan_pl.export.frechet import prepare_comparison
    from slimgan_pl.export.model_card import CARD_MARKDOWN
    from slimgan_pl.export.table import make_table
    from slimgan_pl.layers import width_index
    from slimgan_pl.runs.checkpoints import read_source
    from slimgan_pl.runs.next_steps import shorten_path
    from slimgan_pl.utils.terminal import print_whole

    made = make_format(format, precision, width, fold=fold, onnxruntime_web=onnxruntime_web)
    for name, value in {"weights_path": weights_path, "num_fake": num_fake, "data_root": data_root}.items():
        if extractor is None and value is not None:
            raise SlimGANError(f"--{name} is for the Fréchet distance; name an --extractor too, or leave it out")
    folder = find_output(output, overwrite)
    source = read_source(ckpt_path, trust_checkpoint, weights)
    source.model.truncate(truncation)
    widths = source.model.generator.widths
    if width != "all":
        widths = (widths[width_index(widths, width)],)
    made.prepare()
    comparison = None
    if extractor is not None:
        comparison = prepare_comparison(source, extractor, weights_path, num_fake, data_root, trust_checkpoint)
    files = export_checkpoint(made, source, widths, folder, comparison)
    print_whole(make_table(files))
    print(f"Model card: {shorten_path(folder / CARD_MARKDOWN)}")
    next_step = made.next_step(shorten_path(folder))
    if next_step is not None:
        print(next_step)
