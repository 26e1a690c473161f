"""Resampling by two with the kernel [1, 3, 3, 1], as convolutions of each channel.

Inside an image both are bilinear; beyond its border are zeros (Karras et al. 2020, "Analyzing and Improving the Image
Quality of StyleGAN").
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Downsample", "Upsample"]

TAPS = (1.0, 3.0, 3.0, 1.0)


class Resample(nn.Module):
    """Base with the kernel ``(1, 1, 4, 4)``; ``total`` is the sum of its numbers."""

    kernel: Tensor

    def __init__(self, total: float) -> None:
        super().__init__()
        taps = torch.tensor(TAPS)
        kernel = torch.outer(taps, taps)
        self.register_buffer("kernel", (kernel * (total / kernel.sum()))[None, None], persistent=False)


class Upsample(Resample):
    """Double the side: ``(N, C, H, W) -> (N, C, 2H, 2W)``."""

    def __init__(self) -> None:
        super().__init__(4)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        return F.conv_transpose2d(x, self.kernel.expand(channels, 1, 4, 4), stride=2, padding=1, groups=channels)


class Downsample(Resample):
    """Halve the side: ``(N, C, H, W) -> (N, C, H / 2, W / 2)``."""

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        return F.conv2d(x, self.kernel.expand(channels, 1, 4, 4), stride=2, padding=1, groups=channels)

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Smooth, then convolve with every second 3x3 window: ``(N, C, H, W) -> (N, C', H / 2, W / 2)``."""
        channels = x.shape[1]
        x = F.conv2d(x, self.kernel.expand(channels, 1, 4, 4), padding=2, groups=channels)
        return F.conv2d(x, weight, bias, stride=2)
