"""A run that is killed in the middle of a save, as a process of its own imports it."""

import io
import os
import signal
from pathlib import Path
from typing import Any, BinaryIO

import torch
from kill_storm import RESUME, run_command

__all__ = ["die_in_save"]


def die_in_save(folder: Path, number: int) -> None:
    """Run the command and be killed when half of a checkpoint is written."""
    save, calls = torch.save, list[int]()

    def dying(content: Any, file: BinaryIO) -> None:
        calls.append(0)
        if len(calls) < number:
            save(content, file)
            return
        buffer = io.BytesIO()
        save(content, buffer)
        file.write(buffer.getvalue()[: buffer.tell() // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(torch, "save", dying)  # noqa: B010
    run_command(folder, list(RESUME), {})
