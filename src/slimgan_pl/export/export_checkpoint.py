"""Export of a checkpoint: files compared with PyTorch, and the model card."""

from collections.abc import Sequence
from pathlib import Path

from slimgan_pl.evaluation.features import extractor_name
from slimgan_pl.export.exported_file import ExportedFile
from slimgan_pl.export.folder import filling
from slimgan_pl.export.formats.base import Format, Sampler
from slimgan_pl.export.frechet import FrechetComparison
from slimgan_pl.export.model_card import write_card
from slimgan_pl.export.parity import check_parity
from slimgan_pl.runs.checkpoints import Source

__all__ = ["export_checkpoint"]


def export_checkpoint(
    format: Format, source: Source, widths: Sequence[float], folder: Path, comparison: FrechetComparison | None = None
) -> list[ExportedFile]:
    """Write, check and describe the files of one export.

    The format is prepared, and the folder comes from ``find_output``. A failure leaves it as it was.

    Raises:
        SlimGANError: If a file differs from PyTorch by more than its precision explains, or cannot be written.
    """
    generator = source.model.inference_generator
    with filling(folder) as scratch:
        files: list[ExportedFile] = []
        others: list[Path] = []
        samplers: dict[tuple[str, float], Sampler] = {}
        for written in format.write(source, widths, scratch):
            files.append(check_parity(format, written, generator))
            others += written.others
            if comparison is not None:
                sampler = format.load(written, generator)
                samplers |= {(written.path.name, width): sampler for width in written.widths}
        provenance = None
        if comparison is not None:
            print(f"Evaluating {len(samplers)} sets of images by {extractor_name(comparison.evaluator.extractor)} ...")
            distances = comparison.compare(samplers)
            files, provenance = distances.add_to(files), distances.provenance
        write_card(scratch, source, files, provenance, others)
    return files
