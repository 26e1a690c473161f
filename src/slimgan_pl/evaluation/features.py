"""From images to features: each image passes the extractor once."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError, lacks_memory
from slimgan_pl.utils.environment import tensors_sha256
from slimgan_pl.utils.recipes import class_path
from slimgan_pl.utils.torch_state import exact_float32

__all__ = ["Extracted", "Extraction", "extractor_name"]


class Extracted(NamedTuple):
    """Features ``(N, F)``, and class logits ``(N, K)`` where something gives them."""

    features: Tensor
    logits: Tensor | None


class Extraction:
    """An extractor, and perhaps a classifier, on a device.

    The extractor maps uint8 images ``(N, 3, H, W)`` to features, or to features and logits; the classifier maps them to
    logits, or to such a pair, in place of the extractor's.

    Raises:
        SlimGANError: If the extractor fails, what it returns is not of that form, or the images have other channels
            than 1 or 3.
    """

    def __init__(
        self, extractor: nn.Module, classifier: nn.Module | None, device: torch.device, shape: tuple[int, int, int]
    ) -> None:
        self.extractor, self.classifier, self.device, self.shape = extractor, classifier, device, shape
        self.name = extractor_name(extractor)
        if shape[0] not in (1, 3):
            raise SlimGANError(
                f"the images have {shape[0]} channels, and an evaluator takes 1 or 3",
                {"model.evaluator": "evaluate nothing with {} null"},
            )
        for net in filter(None, (extractor, classifier)):
            net.to(device).eval()
        noise = torch.Generator().manual_seed(0)
        self.probe = self(torch.randint(0, 256, (2, *shape), generator=noise, dtype=torch.uint8))
        self.num_features = self.probe.features.shape[1]
        self.num_classes = None if self.probe.logits is None else self.probe.logits.shape[1]

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Extracted:
        """Return features and logits of bytes ``(N, 1 or 3, H, W)``."""
        pixels = images.to(self.device).expand(-1, 3, -1, -1)
        with exact_float32(self.device):
            output = apply(self.extractor, pixels)
            features, logits = output if isinstance(output, tuple) and len(output) == 2 else (output, None)
            if self.classifier is not None:
                output = apply(self.classifier, pixels)
                logits = output[1] if isinstance(output, tuple) else output
        check_rows(features, len(pixels), f"the extractor {self.name}")
        if logits is not None:
            check_rows(logits, len(pixels), f"{extractor_name(self.classifier or self.extractor)}, as a classifier,")
        return Extracted(features, logits)

    @property
    def provenance(self) -> dict[str, Any]:
        """Name, class, weights and resize of the extractor, as plain values."""
        resize = getattr(self.extractor, "resize", None)
        return {**net_provenance(self.extractor), "resize": resize if isinstance(resize, str) else "its own"}

    @property
    def classifier_provenance(self) -> dict[str, Any] | None:
        """Name, class and weights of the classifier, if there is one."""
        return None if self.classifier is None else net_provenance(self.classifier)


def apply(net: nn.Module, pixels: Tensor) -> Any:
    """Return an extractor's output; a failure becomes a SlimGANError."""
    try:
        return net(pixels)
    except Exception as error:  # third-party code raises anything
        if lacks_memory(error):
            raise
        reason = " ".join(str(error).split())[:150]
        raise SlimGANError(
            f"the extractor {extractor_name(net)} fails on bytes of shape {tuple(pixels.shape)} "
            f"({type(error).__name__}: {reason}); mend it, or name another with --model.evaluator.extractor"
        ) from error


def check_rows(output: object, count: int, what: str) -> None:
    """Raise a SlimGANError unless an output has float rows, one per image."""
    if not (isinstance(output, Tensor) and output.is_floating_point() and output.ndim == 2 and len(output) == count):
        shape = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
        raise SlimGANError(
            f"{what} returned {shape} for {count} images; an extractor has to return float features (N, F), or a pair "
            "of features and logits (N, K), and a classifier logits or such a pair"
        )


def net_provenance(net: nn.Module) -> dict[str, Any]:
    """Return a net's name, its class, and the hash of its weights."""
    weights = tensors_sha256(net.state_dict())
    return {"name": extractor_name(net), "class": class_path(type(net)), "weights_sha256": weights}


def extractor_name(extractor: nn.Module | str) -> str:
    """Return an extractor's ``name``, or its class's."""
    return extractor if isinstance(extractor, str) else str(getattr(extractor, "name", type(extractor).__name__))
