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
from slimgan_pl.utils.files import replacing

__all__ = ["StatisticsCache"]

FORMAT = 2  # part of every key: raise it when the computation changes


class StatisticsCache:
    """A file that holds the statistics of one set of images, and all that they depend on.

    A file is taken only if it says that it is about the same images, split, count, extractor and weights, if its
    checksum is right, and if the extractor still gives the features of two fixed images of noise that it gave then: its
    code and its settings may have changed. Any other file is ignored and written anew.

    Args:
        folder: Where the file lies.
        name: What its name begins with.
        key: All that the statistics depend on, as plain values.
        probe: What the extractor makes of the images of noise.
    """

    def __init__(self, folder: Path, name: str, key: dict[str, Any], probe: Extracted) -> None:
        self.key = json.dumps({"format": FORMAT, **key}, sort_keys=True)
        self.path = folder / f"{name}-{hashlib.sha256(self.key.encode()).hexdigest()[:16]}.safetensors"
        self.probe = {"probe_features": probe.features.float().cpu()}
        if probe.logits is not None:
            self.probe["probe_logits"] = probe.logits.float().cpu()

    def load(self) -> ImageStatistics | None:
        """Return the statistics, or None where there is no file that can be trusted."""
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
        """Write the statistics beside their place, sync and move them there; warn where that cannot be done."""
        gaussian, *others = statistics
        named = dict(zip(("score", "features", "radii"), others, strict=True))
        tensors = {
            "count": torch.tensor(gaussian.num_samples),
            "mean": gaussian.mean,
            "covariance": gaussian.covariance,
        }
        tensors |= {name: value for name, value in named.items() if value is not None} | self.probe
        tensors = {name: value.contiguous() for name, value in tensors.items()}
        content = save(tensors, {"key": self.key, "sha256": tensors_sha256(tensors)})
        try:
            with replacing(self.path, is_contended=True) as file:
                file.write(content)
        except OSError as error:
            warnings.warn(
                f"the statistics of the real images could not be kept in {self.path.parent} ({error}), so the next "
                "evaluation computes them again; make room there or name another --data.cache_dir",
                SlimGANWarning,
                stacklevel=2,
            )


def is_close(stored: Tensor | None, now: Tensor) -> bool:
    """Return whether an output is the same but for the rounding of another device."""
    return stored is not None and stored.shape == now.shape and bool((stored - now).norm() <= 1e-3 * now.norm())
