"""How far the images of an exported generator are from those that PyTorch draws.

Shape legend: N images, C channels, H = W pixels a side.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from slimgan_pl.errors import UserError
from slimgan_pl.exporting.exported import WidthError
from slimgan_pl.layers import width_index
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.contract import IMAGES, LABELS, LATENTS, WIDTH
from slimgan_pl.modes import evaluating

__all__ = ["Draw", "Session", "check_images", "image_errors", "session_draw"]

Draw = Callable[[Tensor, Tensor | None, float], Tensor]  # images from latents, labels and a width

COUNT, BATCH_SIZE = 64, 16  # images that are compared, and of these at once


class Session(Protocol):
    """What is used of an ``onnxruntime.InferenceSession``."""

    def get_inputs(self) -> Any:
        """Return the inputs, each with a name."""

    def run(self, output_names: Any, input_feed: Any) -> Any:
        """Return the outputs that are named."""


def session_draw(session: Session, widths: Sequence[float]) -> Draw:
    """Return what draws with a session of an exported ONNX file.

    Args:
        session: Of a file with one width, or with several and an input that chooses among them.
        widths: The widths of the file, narrow to wide.
    """
    names = {each.name for each in session.get_inputs()}

    def draw(latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        index = width_index(widths, width)
        feed: dict[str, Any] = {LATENTS: latents.numpy()}
        if LABELS in names and labels is not None:
            feed[LABELS] = labels.numpy()
        if WIDTH in names:
            feed[WIDTH] = np.array(index, np.int64)
        return torch.from_numpy(session.run([IMAGES], feed)[0])

    return draw


@torch.inference_mode()
def image_errors(draw: Draw, generator: SlimmableGenerator, width: float) -> WidthError:
    """Compare what is exported with the generator that it is of, on the same 64 latents and labels.

    Args:
        draw: What is exported.
        generator: A generator in float32, on the CPU; it is run in evaluation mode and stays in its own.
        width: One of its ``widths``.

    Raises:
        UserError: If images are not finite, or of another shape.
    """
    largest, squares, values = 0.0, 0.0, 0
    with evaluating(generator):
        for latents, labels in batches(generator):
            expected = generator(latents, labels, width=width)
            images = draw(latents, labels, width)
            check_images(images, expected, width)
            difference = images.double() - expected.double()
            largest = max(largest, difference.abs().max().item())
            squares += difference.square().sum().item()
            values += difference.numel()
    return WidthError(width, largest, (squares / values) ** 0.5)


def batches(generator: SlimmableGenerator) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield latents ``(N, latent_dim)`` and labels ``(N,)`` or None, always the same."""
    source = torch.Generator().manual_seed(0)
    latents = torch.randn(COUNT, generator.latent_dim, generator=source)
    labels = torch.randint(max(generator.num_classes, 1), (COUNT,), generator=source)
    for part, classes in zip(latents.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True):
        yield part, classes if generator.num_classes else None


def check_images(images: Tensor, expected: Tensor, width: float) -> None:
    """Raise a UserError where exported images are not finite or not of the shape of PyTorch's."""
    if images.shape != expected.shape:
        raise UserError(
            f"the exported net draws images {tuple(images.shape)} at width {width:g} where PyTorch draws "
            f"{tuple(expected.shape)}; export this checkpoint again"
        )
    if not images.isfinite().all():
        raise UserError(
            f"the images of the exported net at width {width:g} are not finite; export it in another --precision, such "
            "as float32"
        )
