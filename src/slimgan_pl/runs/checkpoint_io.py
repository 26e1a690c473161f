"""Atomic writing of checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from slimgan_pl.errors import cause_of
from slimgan_pl.utils.files import replacing

__all__ = ["AtomicCheckpointIO"]


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoint writer that never leaves half a file, even when killed.

    It writes a file beside the target, syncs and renames it. Lightning's own writes into the temporary folder and moves
    the file; on another filesystem that is a copy.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Callable[[dict[str, Any], OSError], None] | None = None,
    ) -> None:
        """Save a checkpoint.

        Args:
            checkpoint: Content of the file.
            path: The file; an existing one stays until the new one is complete.
            storage_options: Function that handles the checkpoint and the error of a failed save; by default the error
                is raised.

        Raises:
            OSError: If there is no space or no write access.
        """
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as file:
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:  # torch raises an error of its own for a full disk
            cause = cause_of(error, OSError)
            if cause is None:
                raise
            if storage_options is None:
                raise cause from None
            storage_options(checkpoint, cause)
