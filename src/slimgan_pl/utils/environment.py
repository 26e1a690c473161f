"""Provenance of results: versions, machine, checksums; and the devices of this machine."""

import hashlib
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from slimgan_pl._version import __version__
from slimgan_pl.errors import SlimGANError

__all__ = [
    "array_sha256",
    "device_name",
    "find_device",
    "machine",
    "memory_size",
    "synchronize",
    "tensors_sha256",
    "versions",
]

PACKAGES = ("torch", "torchvision", "lightning", "torchmetrics", "torch-fidelity", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Return the versions of all packages that a metric depends on."""
    return {
        "slimgan-pl": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def device_name(device: torch.device) -> str:
    """Return a device's name, such as ``NVIDIA H200`` or ``cpu``."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def machine(device: torch.device) -> dict[str, Any]:
    """Return device, processor, cores, threads, and system, which times depend on."""
    return {
        "device": device_name(device),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.platform(terse=True),
    }


def processor_name() -> str:
    """Return the processor's name, such as ``AMD EPYC 9B14``, or its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def array_sha256(array: npt.NDArray[Any]) -> str:
    """Return the SHA-256 of an array's type, shape and bytes."""
    digest = hashlib.sha256(f"{array.dtype} {array.shape}\n".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the names, types, shapes and bytes of tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        data = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {data.dtype} {tuple(data.shape)}\n".encode())
        digest.update(data.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def find_device(name: str) -> torch.device:
    """Return a device of this machine.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or the like; ``auto`` is the first GPU, or the CPU without one.

    Raises:
        SlimGANError: If there is no such device.
    """
    names = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    if name == "auto":
        return torch.device((names + names)[1])
    if (full := "cuda:0" if name == "cuda" else name) not in names:
        raise SlimGANError(f"there is no device {name!r} here; choose one of auto, {', '.join(names)}")
    return torch.device(full)


def synchronize(device: torch.device) -> None:
    """Wait until a device has finished its work."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def memory_size(device: torch.device) -> int | None:
    """Return the size of a device's memory in bytes, if known."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows among others
        return None
