"""Atomic writing of checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from slimgan_pl.errors import cause_of
from slimgan_pl.utils.files import replacing

__all__ = ["AtomicCheckpointIO"]

OnFailure = Callable[[dict[str, Any], OSError], None]


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its target, syncs it and renames it, so that a kill never leaves half a file.

    Lightning's own writes into the temporary folder and moves the file, which on another filesystem copies it.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: OnFailure | None = None
    ) -> None:
        """Save a checkpoint.

        Args:
            checkpoint: What to save.
            path: Where; what is there stays until the new file is whole.
            storage_options: Takes the checkpoint and the error where the system refuses; by default it is raised.

        Raises:
            OSError: If there is no room or no write access.
        """
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as file:
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk in words of its own
            cause = cause_of(error, OSError)
            if cause is None:
                raise
            if storage_options is None:
                raise cause from None
            storage_options(checkpoint, cause)
