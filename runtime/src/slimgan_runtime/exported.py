"""Exported files as one generator with several widths."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from slimgan_runtime.contract import IMAGES, LABELS, LATENTS, WIDTH, Contract, read_contract
from slimgan_runtime.errors import SlimGANError
from slimgan_runtime.latency import num_cores
from slimgan_runtime.ort import onnxruntime

__all__ = ["ExportedGenerator"]

ALL_WIDTHS, ONE_WIDTH = "generator.onnx", "generator_*.onnx"  # names of files in a folder

FATAL = 4  # the least that ONNX Runtime logs: errors become exceptions as well


class Source(NamedTuple):
    """Session of one width, and its inputs besides latents and labels."""

    session: onnxruntime.InferenceSession
    inputs: dict[str, np.ndarray]


class ExportedGenerator:
    """Generator of one file with all widths, or one per width.

    In a folder the file with all widths comes first. ``threads`` are those of ONNX Runtime; None stands for all cores
    that this process may use.

    Raises:
        SlimGANError: If there are no such files, or they are damaged, or do not go together.
    """

    def __init__(self, path: Path, threads: int | None) -> None:
        self.files = files_of(path)
        loaded = [load(file, threads) for file in self.files]
        contracts = [contract for _, contract in loaded]
        check_together(self.files, contracts)
        self._sources = {width: source for session, contract in loaded for width, source in sources(session, contract)}
        self.contract = contracts[0]._replace(widths=tuple(sorted(self._sources)))

    def run(self, width: float, latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        """Return images ``(N, C, H, W)`` in [-1, 1].

        Args:
            width: One of the contract's.
            latents: float32 ``(N, latent_dim)``.
            labels: int64 ``(N,)`` if there are classes, else None.

        Raises:
            SlimGANError: If there is not enough memory for so many images.
        """
        session, inputs = self._sources[width]
        feed = {**inputs, LATENTS: latents}
        if labels is not None:
            feed[LABELS] = labels
        try:
            images: np.ndarray = session.run([IMAGES], feed)[0]
        except Exception as error:
            if lacks_memory(error):
                raise SlimGANError(f"{len(latents):,} images at once do not fit into memory; generate fewer") from error
            raise
        return images


def files_of(path: Path) -> list[Path]:
    """Return the files to load: a given one, or a folder's."""
    if not path.exists():
        raise SlimGANError(f"{path} does not exist; give an .onnx file or a folder that slimgan export wrote")
    if not path.is_dir():
        return [path]
    files = [path / ALL_WIDTHS] if (path / ALL_WIDTHS).exists() else sorted(path.glob(ONE_WIDTH))
    if not files:
        raise SlimGANError(f"{path} has neither {ALL_WIDTHS} nor {ONE_WIDTH}; give a folder that slimgan export wrote")
    return files


def load(file: Path, threads: int | None) -> tuple[onnxruntime.InferenceSession, Contract]:
    """Return a session that prints nothing, and the contract of the file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or count_threads()
    options.log_severity_level = FATAL
    # Otherwise threads wait in a loop for 35 ms after each call: a core taken from others, and a charge from phones.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # a class of its own for each kind of damage
        reason = " ".join(str(error).split())[:200]
        raise SlimGANError(f"{file} cannot be loaded as an ONNX file; export it again ({reason})") from error
    inputs = [node.name for node in session.get_inputs()]
    return session, read_contract(session.get_modelmeta().custom_metadata_map, inputs, str(file))


def check_together(files: Sequence[Path], contracts: Sequence[Contract]) -> None:
    """Raise a SlimGANError unless files share a generator but no width."""
    widths: set[float] = set()
    for file, contract in zip(files, contracts, strict=True):
        if contract._replace(widths=(), classes=()) != contracts[0]._replace(widths=(), classes=()):
            raise SlimGANError(f"{file} is of another generator than the files beside it; name one of the files")
        if widths & set(contract.widths):
            raise SlimGANError(f"{file} has a width that a file beside it has too; name one of the files")
        widths |= set(contract.widths)


def sources(session: onnxruntime.InferenceSession, contract: Contract) -> Iterator[tuple[float, Source]]:
    """Yield each width of a file with its source."""
    has_all = any(node.name == WIDTH for node in session.get_inputs())
    for index, width in enumerate(contract.widths):
        yield width, Source(session, {WIDTH: np.array(index, np.int64)} if has_all else {})


def count_threads() -> int:
    """Return the usable cores, or 0 if all are usable.

    0 leaves the choice to ONNX Runtime, which pins a thread to each core of the machine, and complains of those that it
    may not use.
    """
    allowed = num_cores()
    return allowed if allowed < (os.cpu_count() or 1) else 0


def lacks_memory(error: Exception) -> bool:
    """Return whether an error of a run says that memory is short."""
    said = ("allocate memory", "bad_alloc", "bad allocation")
    return isinstance(error, MemoryError) or any(words in str(error) for words in said)
