"""The checkpoint that is exported, read once: a run that goes on may write another in its place meanwhile."""

from pathlib import Path
from typing import Any, NamedTuple

from slimgan_pl.checkpoints import model_of, read_checkpoint
from slimgan_pl.errors import UserError
from slimgan_pl.files import file_sha256
from slimgan_pl.slimgan import SlimGAN

__all__ = ["Source", "read_source"]


class Source(NamedTuple):
    """A checkpoint: where it lay, its SHA-256 then, what it holds, and its model on the CPU in evaluation mode."""

    path: Path
    sha256: str
    checkpoint: dict[str, Any]
    model: SlimGAN


def read_source(path: str | Path, trust: bool = False) -> Source:
    """Read a checkpoint and build its model.

    Args:
        path: The checkpoint.
        trust: Whether it may name classes of other packages, whose code is then run.

    Raises:
        UserError: If it cannot be read or used, or is replaced meanwhile.
    """
    path = Path(path)
    before = file_sha256(path) if path.is_file() else None
    checkpoint = read_checkpoint(path)
    if before is None or file_sha256(path) != before:
        raise UserError(f"{path} has just been replaced by the run that writes it; export it again")
    return Source(path, before, checkpoint, model_of(checkpoint, path, trust))
