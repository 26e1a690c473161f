"""Discriminators of the authors' code.

A file holds a copy of every stage per width. Of a shared stage only the last copy is used; training leaves the others
untouched.
"""

import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from slimgan_pl.convert.files import Tensors, fill
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    ResNetDiscriminatorBank,
    SlimmableGenerator,
)

__all__ = ["DEFAULT_SHARED", "Sharing", "default_discriminators", "find_sharing", "make_discriminators"]

DEFAULT_SHARED = 2  # shared stages in the paper
NAME = re.compile(r"(?:c|block)(\d+)(?:s\.(\d+))?\.(.+)")
HEAD_NAME = re.compile(r"l(\d+|_y)(?:s\.(\d+))?\.(.+)")
HEAD = sys.maxsize  # its number among the stages: the last
RESIDUAL_PARTS = {"c1": "conv1", "c2": "conv2", "c_sc": "shortcut"}

Stage = list[Tensors]  # a copy per width; a plain discriminator has one


class Sharing(NamedTuple):
    """Number of first stages that discriminators share, and sharing of the head."""

    num_shared: int
    share_head: bool = False


class Parts(NamedTuple):
    """Tensors of a file by stage and copy, named within the stage."""

    stages: list[Stage]
    head: Stage
    residual: bool


def make_discriminators(tensors: Tensors, image_size: int, sharing: Sharing) -> DiscriminatorBank:
    """Build a bank or a plain discriminator; tensors' shapes give the schedule.

    Args:
        tensors: Tensors of a discriminator file.
        image_size: Side of the images in pixels: in the shapes a residual net for 48 pixels looks like one for 64.
        sharing: Stages that the discriminators share.

    Raises:
        LookupError, RuntimeError, ValueError: If the tensors belong to no known net.
    """
    parts = split(tensors)
    num_shared, share_head = sharing if len(parts.head) > 1 else Sharing(0)
    first, head = [stage[0] for stage in parts.stages], parts.head[0]
    settings: dict[str, Any] = {
        "num_branches": len(parts.head),
        "num_shared": num_shared,
        "num_classes": weight_of(head, "embedding").shape[0] if "embedding" in layers_of(head) else 0,
        "share_head": share_head,
    }
    bank: DiscriminatorBank
    if parts.residual:
        shortcuts = ["shortcut" in layers_of(stage) for stage in first]
        channels = [weight_of(stage, "conv2").shape[0] for stage in first]
        num_downsamples = count_downsamples(shortcuts, image_size)
        image_channels = weight_of(first[0], "conv1").shape[1]
        bank = ResNetDiscriminatorBank(channels, num_downsamples, image_channels, **settings)
    else:
        shapes = [weight_of(stage, "conv").shape for stage in first]
        channels = [shape[0] for shape in shapes if shape[2] == 3]
        bottom_size = math.isqrt(weight_of(head, "linear").shape[1] // channels[-1])
        bank = DCGANDiscriminatorBank(channels, bottom_size, shapes[0][1], **settings)
    renamed: Tensors = {}
    for number, stage in enumerate(parts.stages[:num_shared]):
        renamed |= spectral_tensors(f"trunk.{number}", stage[-1])
    for number, stage in enumerate(parts.stages[num_shared:]):
        for branch, copy in enumerate(stage):
            renamed |= spectral_tensors(f"branches.{branch}.{number}", copy)
    for branch, copy in enumerate(parts.head[-1:] if share_head else parts.head):
        renamed |= spectral_tensors(f"heads.{branch}", copy)
    fill(bank, renamed)
    return bank


def count_downsamples(shortcuts: Sequence[bool], image_size: int) -> int:
    """Count the first blocks with a shortcut, while the side is even.

    >>> count_downsamples([True] * 5, 48), count_downsamples([True] * 5, 64), count_downsamples([True, True, False], 32)
    (4, 5, 2)
    """
    count = 0
    while count < len(shortcuts) and shortcuts[count] and image_size % 2 ** (count + 1) == 0:
        count += 1
    return count


def split(tensors: Tensors) -> Parts:
    """Sort the tensors of a file by stage and copy."""
    residual = any(name.startswith("block") for name in tensors)
    found: dict[int, dict[int, Tensors]] = {}
    for name, value in tensors.items():
        if match := NAME.fullmatch(name):
            part, _, rest = match[3].partition(".") if residual else ("conv", "", match[3])
            stage, layer = int(match[1]), RESIDUAL_PARTS[part] if residual else part
        elif match := HEAD_NAME.fullmatch(name):
            stage, layer, rest = HEAD, "embedding" if match[1] == "_y" else "linear", match[3]
        else:
            raise LookupError(f"{name} has no counterpart")
        found.setdefault(stage, {}).setdefault(int(match[2] or 0), {})[f"{layer}.{rest}"] = value
    if HEAD not in found or len(found) == 1:
        raise LookupError("there is no last layer or nothing before it")
    *stages, head = [[copies[key] for key in sorted(copies)] for _, copies in sorted(found.items())]
    return Parts(stages, head, residual)


def layers_of(copy: Tensors) -> set[str]:
    return {name.partition(".")[0] for name in copy}


def weight_of(copy: Tensors, layer: str) -> Tensor:
    """Return a layer's weight before spectral norm."""
    return copy[f"{layer}.weight_orig"] if f"{layer}.weight_orig" in copy else copy[f"{layer}.weight"]


def spectral_tensors(prefix: str, copy: Tensors) -> Tensors:
    """Return a stage's tensors under this package's names, with singular vectors."""
    result: Tensors = {}
    for layer in sorted(layers_of(copy)):
        weight = weight_of(copy, layer)
        if f"{layer}.sn_u" in copy:
            # NOTE: the authors' residual blocks run a power iteration in every forward, in evaluation too, and do not
            # keep its result there; torch's spectral norm runs none in evaluation. So it is run here, once.
            matrix, u = weight.flatten(1), copy[f"{layer}.sn_u"].flatten()
            v = F.normalize(matrix.T @ u, dim=0, eps=1e-12)
            u = F.normalize(matrix @ v, dim=0, eps=1e-12)
        else:
            u, v = copy[f"{layer}.weight_u"], copy[f"{layer}.weight_v"]
        norm = f"{prefix}.{layer}.parametrizations.weight"
        result |= {f"{norm}.original": weight, f"{norm}.0._u": u, f"{norm}.0._v": v}
        if f"{layer}.bias" in copy:
            result[f"{prefix}.{layer}.bias"] = copy[f"{layer}.bias"]
    return result


def find_sharing(tensors: Tensors, optimizer: Mapping[str, Any]) -> Sharing | None:
    """Return the sharing of a file's discriminators, or None if unknown.

    A stage is shared if only its last copy was trained. That shows in the optimizer's state; without one, in the
    singular vectors of spectral norm, which no forward pass has changed in the other copies.
    """
    parts = split(tensors)
    if len(parts.head) == 1:
        return Sharing(0)
    updated = find_updated_tensors(tensors, optimizer)
    patterns = [
        [any(id(value) in updated for value in copy.values()) if updated else was_used(copy) for copy in stage]
        for stage in (*parts.stages, parts.head)
    ]
    shared = [pattern == [False] * (len(pattern) - 1) + [True] for pattern in patterns]
    if not all(all(pattern) or alone for pattern, alone in zip(patterns, shared, strict=True)):
        return None
    num_shared = shared[:-1].index(False) if False in shared[:-1] else len(shared) - 1
    return Sharing(num_shared, shared[-1]) if sum(shared[:-1]) == num_shared else None


def find_updated_tensors(tensors: Tensors, optimizer: Mapping[str, Any]) -> set[int]:
    """Return ids of tensors updated by Adam; none for another net's state."""
    kinds = ("weight", "weight_orig", "bias")
    parameters = [value for name, value in tensors.items() if name.rpartition(".")[2] in kinds]
    keys = [key for group in optimizer.get("param_groups", []) for key in group.get("params", [])]
    if len(keys) != len(parameters):
        return set()
    state = optimizer.get("state", {})
    return {
        id(parameter)
        for key, parameter in zip(keys, parameters, strict=True)
        if "exp_avg_sq" in state.get(key, {}) and bool(state[key]["exp_avg_sq"].any())
    }


def was_used(copy: Tensors) -> bool:
    """Return whether the singular vectors of a copy come from forward passes."""
    return all(is_singular(copy, layer) for layer in layers_of(copy) - {"embedding"})


def is_singular(copy: Tensors, layer: str) -> bool:
    matrix = weight_of(copy, layer).flatten(1)
    if f"{layer}.sn_u" in copy:  # begins as normal numbers, with a sigma of 1
        u, sigma = copy[f"{layer}.sn_u"].flatten(), float(copy[f"{layer}.sn_sigma"])
        ratio = sigma / max(float((matrix.T @ u).norm()), 1e-12)
        return abs(float(u.norm()) - 1) < 1e-3 and 0.5 < ratio < 1.2
    u, v = copy[f"{layer}.weight_u"], copy[f"{layer}.weight_v"]
    pair = (u, matrix @ v) if len(u) > 1 else (v, matrix.T @ u)
    return float(torch.cosine_similarity(*pair, dim=0)) > 0.9


def default_discriminators(generator: SlimmableGenerator) -> DiscriminatorBank:
    """Return a new bank for a generator, as the paper pairs them."""
    channels = generator.channels
    shared: dict[str, Any] = {
        "image_channels": generator.image_channels,
        "num_branches": len(generator.widths),
        "num_shared": DEFAULT_SHARED if len(generator.widths) > 1 else 0,
        "num_classes": generator.num_classes,
    }
    if isinstance(generator, DCGANGenerator):
        return DCGANDiscriminatorBank(channels[::-1], generator.bottom_size, **shared)
    if len(set(channels)) == 1:
        return ResNetDiscriminatorBank([-(-channels[0] // 2)] * 4, 2, **shared)
    grown = [channels[-1] * 2**stage for stage in range(5)]
    return ResNetDiscriminatorBank(grown, count_downsamples([True] * 5, generator.image_size), **shared)
