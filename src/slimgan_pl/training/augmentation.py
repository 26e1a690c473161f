"""Augmentation in front of the discriminators, of real images and fakes alike.

Every transform is differentiable, and a pure function of images and random numbers (Zhao et al. 2020, DiffAugment).
Shape legend: N images, C channels, H x W pixels, K random numbers per image.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError, check_choice, check_range

__all__ = ["NO_AUGMENTATION", "Augmentation", "Augmenter", "TransformName", "View", "apply_view", "make_view"]

TransformName = Literal["flip", "translation", "color", "cutout"]

NUMBERS = 11  # random numbers of an image, whatever its transforms
INTERVAL = 4  # iterations between two changes of an adaptive probability


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Settings of the augmentation.

    Args:
        transforms: Any of ``flip`` (left to right), ``translation`` (by up to an eighth of the side; grey comes in),
            ``color`` (brightness, saturation and contrast) and ``cutout`` (a square of half the side turns grey);
            empty for none.
        p: Probability of each transform, for each image; at the beginning if it is adapted. By default 1, or 0 if it
            is adapted.
        target: Adapt ``p`` so that ``real_sign``, the mean sign of the real logits, stays at this value, such as 0.6
            (Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data"); None keeps ``p``.
        images: Images over which an adapted ``p`` rises from 0 to 1 at most.

    Raises:
        SlimGANError: If a number is out of range, or a transform is not known.
    """

    transforms: Sequence[TransformName] = ()
    p: float | None = None
    target: float | None = None
    images: int = 500_000

    def __post_init__(self) -> None:
        for name in self.transforms:
            check_choice("an entry of the augmentation's transforms", name, get_args(TransformName))
        check_range("the augmentation's images", self.images, 1)
        for key, value in {"p": self.p, "target": self.target}.items():
            if value is not None:
                check_range(f"the augmentation's {key}", value, 0, 1)
                if not self.transforms:
                    raise SlimGANError(f"the augmentation has {key} but no transforms; name some, or leave {key} out")

    @property
    def first_p(self) -> float:
        """Probability at the beginning."""
        return (1.0 if self.target is None else 0.0) if self.p is None else self.p


NO_AUGMENTATION = Augmentation()


class View(NamedTuple):
    """View of each of N images; None leaves a part out.

    Attributes:
        color: Weights ``(N, 4)`` of the image, its pixels' means over channels, its mean, and 1.
        source: Pixels ``(N, H * W)`` that the pixels come from.
        mask: Factors ``(N, 1, H, W)`` of the pixels, 0 or 1.
    """

    color: Tensor | None = None
    source: Tensor | None = None
    mask: Tensor | None = None


class Augmenter(nn.Module):
    """Augmentation with its probability ``p``, saved if it is adapted.

    Args:
        settings: Settings of the augmentation.
    """

    p: Tensor
    signs: Tensor

    def __init__(self, settings: Augmentation) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("p", torch.tensor(settings.first_p), persistent=self.is_adaptive)
        # sum of real_sign since the last change of p
        self.register_buffer("signs", torch.tensor(0.0), persistent=self.is_adaptive)

    @property
    def is_adaptive(self) -> bool:
        """True if the probability follows the sign statistic."""
        return self.settings.target is not None

    def sample(self, images: Tensor, source: torch.Generator) -> View:
        """Sample a view of images ``(N, C, H, W)``, whose values do not matter."""
        numbers = torch.rand(len(images), NUMBERS, generator=source, device=source.device, dtype=torch.float32)
        return make_view(images, numbers, self.settings.transforms, self.p)

    @torch.no_grad()
    def adapt(self, real_sign: Tensor, iteration: int, images: int) -> None:
        """Move an adaptive probability against the sign statistic.

        Args:
            real_sign: Statistic of this iteration, on the device.
            iteration: Number of this iteration, from 0.
            images: Images of an iteration.
        """
        assert self.settings.target is not None
        self.signs += real_sign
        if iteration % INTERVAL == INTERVAL - 1:
            step = INTERVAL * images / self.settings.images
            self.p += step * (self.signs / INTERVAL - self.settings.target).sign()
            self.p.clamp_(0, 1)
            self.signs.zero_()


def make_view(images: Tensor, numbers: Tensor, transforms: Sequence[TransformName], p: Tensor | float) -> View:
    """Sample a view: each transform with probability ``p``.

    Color comes first, then flip, translation and cutout.

    Args:
        images: Images ``(N, C, H, W)``, whose values do not matter.
        numbers: Random numbers ``(N, K)`` in [0, 1); the same ones give the same view.
        transforms: Names of the transforms.
        p: Probability of each.
    """
    names = get_args(TransformName)
    gates = dict(zip(names, (numbers[:, : len(names)] < p).unbind(1), strict=True))
    own, sides = numbers[:, len(names) :], images.shape[2:]
    color = color_weights(own[:, :3].to(images.dtype), gates["color"]) if "color" in transforms else None
    source, mask = None, None
    if "flip" in transforms or "translation" in transforms:
        flips, is_moved = (gates[name] & (name in transforms) for name in ("flip", "translation"))
        source, mask = find_sources(flips, whole_shifts(own[:, 3:5], sides) * is_moved[:, None], sides)
    if "cutout" in transforms:
        kept = ~(gates["cutout"][:, None, None] & squares(own[:, 5:7], sides))
        mask = kept if mask is None else mask & kept
    return View(color, source, None if mask is None else mask[:, None].to(images.dtype))


def apply_view(images: Tensor, view: View) -> Tensor:
    """Return images ``(N, C, H, W)`` as the discriminators see them."""
    if view.color is not None:
        whole, grey, mean, one = view.color[:, :, None, None, None].unbind(1)
        means = images.mean(dim=1, keepdim=True)
        images = whole * images + grey * means + (mean * means.mean(dim=(2, 3), keepdim=True) + one)
    if view.source is not None:
        source = view.source[:, None, :].expand(-1, images.shape[1], -1)
        images = images.flatten(2).gather(2, source).view_as(images)
    return images if view.mask is None else images * view.mask


def color_weights(numbers: Tensor, gates: Tensor) -> Tensor:
    """Return weights ``(N, 4)`` of brightness, saturation and contrast.

    Random numbers are ``(N, 3)`` in [0, 1).

    Brightness moves by up to half of 1; distances to a pixel's mean grow by up to twice, then those to the image's mean
    by a half to one and a half times. The weights are those of an image, its pixels' means, its mean, and 1.
    """
    brightness, saturation, contrast = numbers[:, 0] - 0.5, 2 * numbers[:, 1], numbers[:, 2] + 0.5
    weights = torch.stack([contrast * saturation, contrast * (1 - saturation), 1 - contrast, brightness], dim=1)
    same = torch.eye(1, 4, device=weights.device, dtype=weights.dtype)
    return torch.where(gates[:, None], weights, same)


def whole_shifts(numbers: Tensor, sides: Sequence[int]) -> Tensor:
    """Return shifts ``(N, 2)`` in pixels, by an eighth of the sides at most."""
    most = [round(side / 8) for side in sides]
    columns = zip(numbers.unbind(1), most, strict=True)
    return torch.stack([(number * (2 * limit + 1)).floor().long() - limit for number, limit in columns], dim=1)


def find_sources(flips: Tensor, shifts: Tensor, sides: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return each pixel's source ``(N, H * W)``, and a mask ``(N, H, W)``.

    The mask is true where there is a source.

    Args:
        flips: Which images are flipped left to right, booleans ``(N,)``, before they are shifted.
        shifts: Pixels ``(N, 2)``, down and right.
        sides: Height and width.
    """
    height, width = sides
    rows = torch.arange(height, device=shifts.device) - shifts[:, :1]
    columns = torch.arange(width, device=shifts.device) - shifts[:, 1:]
    inside = is_within(rows, height)[:, :, None] & is_within(columns, width)[:, None, :]
    columns = torch.where(flips[:, None], width - 1 - columns, columns)
    source = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
    return source.flatten(1), inside


def squares(numbers: Tensor, sides: Sequence[int]) -> Tensor:
    """Return a mask ``(N, H, W)`` of squares of half the side."""
    along = []
    for number, side in zip(numbers.unbind(1), sides, strict=True):
        first = (number * (side + 1)).floor()[:, None] - side // 4
        along.append(is_within(torch.arange(side, device=numbers.device) - first, side // 2))
    return along[0][:, :, None] & along[1][:, None, :]


def is_within(numbers: Tensor, end: int) -> Tensor:
    return (numbers >= 0) & (numbers < end)
