"""Statistics of real images on disk, so that they are computed once."""

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from slimgan_pl.errors import SlimGANWarning
from slimgan_pl.evaluation.features import Extracted
from slimgan_pl.evaluation.statistics import ImageStatistics
from slimgan_pl.evaluation.summaries import Gaussian
from slimgan_pl.utils.environment import tensors_sha256
from slimgan_pl.utils.files import reason_of, remedy_of, replacing

__all__ = ["StatisticsCache"]

FORMAT = 2  # part of every key: raise it when the computation changes


class StatisticsCache:
    """Statistics of one set of images in a file.

    A file is loaded only if its key, all that the statistics depend on, and its checksum match, and if the extractor
    gives the stored ``probe`` of two images of noise: its code may have changed. Any other file is overwritten.
    """

    def __init__(self, folder: Path, name: str, key: dict[str, Any], probe: Extracted) -> None:
        self.key = json.dumps({"format": FORMAT, **key}, sort_keys=True)
        self.path = folder / f"{name}-{hashlib.sha256(self.key.encode()).hexdigest()[:16]}.safetensors"
        self.probe = {"probe_features": probe.features.float().cpu()}
        if probe.logits is not None:
            self.probe["probe_logits"] = probe.logits.float().cpu()

    def load(self) -> ImageStatistics | None:
        """Return the statistics, or None without a file that matches."""
        try:
            with safe_open(self.path, framework="pt") as file:
                about = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError):
            return None
        if about.get("key") != self.key or about.get("sha256") != tensors_sha256(tensors):
            return None
        if not all(is_close(tensors.get(name), value) for name, value in self.probe.items()):
            return None
        gaussian = Gaussian(int(tensors["count"]), tensors["mean"], tensors["covariance"])
        return ImageStatistics(gaussian, tensors.get("score"), tensors.get("features"), tensors.get("radii"))

    def save(self, statistics: ImageStatistics) -> None:
        """Write the file atomically; warn if that fails."""
        values = statistics._asdict() | self.probe
        count, mean, covariance = values.pop("gaussian")
        values |= {"count": torch.tensor(count), "mean": mean, "covariance": covariance}
        tensors = {name: value.contiguous() for name, value in values.items() if value is not None}
        content = save(tensors, {"key": self.key, "sha256": tensors_sha256(tensors)})
        try:
            with replacing(self.path, is_contended=True) as file:
                file.write(content)
        except OSError as error:
            warnings.warn(
                f"the statistics of the real images could not be kept in {self.path.parent} ({reason_of(error)}), so "
                f"the next evaluation computes them again; {remedy_of(error)}, or name another --data.cache_dir",
                SlimGANWarning,
                stacklevel=2,
            )


def is_close(stored: Tensor | None, now: Tensor) -> bool:
    """Return whether two outputs differ by no more than rounding."""
    return stored is not None and stored.shape == now.shape and bool((stored - now).norm() <= 1e-3 * now.norm())
