"""Devices by their names."""

import os

import torch

from slimgan_pl.errors import UserError

__all__ = ["find_device", "memory_size", "synchronize"]


def find_device(name: str) -> torch.device:
    """Return a device of this machine.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or the like; ``auto`` is the first GPU, or the CPU where there is
            none.

    Raises:
        UserError: If it is not there.
    """
    names = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    if name == "auto":
        return torch.device((names + names)[1])
    if (full := "cuda:0" if name == "cuda" else name) not in names:
        raise UserError(f"there is no device {name!r} here; choose one of auto, {', '.join(names)}")
    return torch.device(full)


def synchronize(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def memory_size(device: torch.device) -> int | None:
    """Return the bytes of a device's memory, used or not, or None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows among others
        return None
