"""Batch norms with statistics per width.

All take ``forward(x, width, labels)`` with ``x`` of shape ``(N, C * width, H, W)`` and integer ``labels`` of shape
``(N,)`` (the unconditional one ignores them), and return the shape of ``x``. A width that is not in the list is a
``SlimGANError``.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from slimgan_pl.layers.sliced import SlicedEmbedding
from slimgan_pl.layers.widths import check_widths, scale_channels, width_index

__all__ = ["PerWidth", "SliceableConditionalBatchNorm2d", "SwitchableBatchNorm2d", "SwitchableConditionalBatchNorm2d"]


class PerWidth(nn.ModuleList):
    """One module per width, narrow to wide; a slice keeps its own."""


class ClassAffine(nn.Module):
    """Class-conditional affine ``x * gain[label] + bias[label]`` of the active channels.

    NOTE: the paper's one embedding of ``2C`` numbers per class is two of ``C`` here, so that a width uses the first
    numbers of each.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.gain = SlicedEmbedding(num_classes, channels)
        self.bias = SlicedEmbedding(num_classes, channels)
        nn.init.normal_(self.gain.weight, 1.0, 0.02)
        nn.init.zeros_(self.bias.weight)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        gain = self.gain(labels, x.shape[1])[:, :, None, None]
        bias = self.bias(labels, x.shape[1])[:, :, None, None]
        result: Tensor = x * gain + bias
        return result


class SwitchableBatchNorm2d(nn.Module):
    """A BatchNorm2d per width (Yu et al. 2019, "Slimmable Neural Networks")."""

    def __init__(self, channels: int, widths: Sequence[float], affine: bool = True) -> None:
        super().__init__()
        self.widths = check_widths(widths)
        self.norms = PerWidth(
            nn.BatchNorm2d(scale_channels(channels, width, "batch norm"), affine=affine) for width in self.widths
        )

    def forward(self, x: Tensor, width: float = 1.0, labels: Tensor | None = None) -> Tensor:
        result: Tensor = self.norms[width_index(self.widths, width)](x)
        return result


class SliceableConditionalBatchNorm2d(nn.Module):
    """Batch norm per width, one class affine (scBN, Hou et al. 2021).

    NOTE: as in the authors' code each width's batch norm keeps an affine of its own under the shared class affine; with
    ``affine=False`` it is the usual conditional form.
    """

    def __init__(self, channels: int, widths: Sequence[float], num_classes: int, affine: bool = True) -> None:
        super().__init__()
        self.norm = SwitchableBatchNorm2d(channels, widths, affine)
        self.classes = ClassAffine(channels, num_classes)

    def forward(self, x: Tensor, width: float, labels: Tensor) -> Tensor:
        result: Tensor = self.classes(self.norm(x, width), labels)
        return result


class SwitchableConditionalBatchNorm2d(nn.Module):
    """A whole conditional batch norm per width: the ablation of scBN."""

    def __init__(self, channels: int, widths: Sequence[float], num_classes: int) -> None:
        super().__init__()
        self.norm = SwitchableBatchNorm2d(channels, widths, affine=False)
        self.classes = PerWidth(
            ClassAffine(scale_channels(channels, width, "batch norm"), num_classes) for width in self.norm.widths
        )

    def forward(self, x: Tensor, width: float, labels: Tensor) -> Tensor:
        result: Tensor = self.classes[width_index(self.norm.widths, width)](self.norm(x, width), labels)
        return result
