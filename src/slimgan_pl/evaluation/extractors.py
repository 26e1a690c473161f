"""Feature extractors.

An extractor is a module that maps uint8 images ``(N, 3, H, W)`` in [0, 255] to features ``(N, F)``, or to a pair of
features and class logits ``(N, K)``. Any module of that form will do; only Inception's metrics are called FID, IS and
mIC without the extractor's name.
"""

from importlib.resources import files
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.recipes import Recorded

INCEPTION = "inception-v3-compat"  # its name in torch-fidelity

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"

__all__ = ["DigitsClassifier", "FidelityExtractor", "InceptionExtractor", "make_extractor"]


def make_extractor(name: str, weights_path: str | None = None) -> nn.Module:
    """Return the extractor of a name.

    Args:
        name: ``inception``, ``digits``, or a name of torch-fidelity's such as ``dinov2-vit-b-14``.
        weights_path: File of its weights; without it they come from the torch hub folder, or are downloaded there.

    Raises:
        SlimGANError: If there is none of that name, or its weights cannot be read or downloaded.
    """
    check_name(name)
    if name == DigitsClassifier.name:
        if weights_path is not None:
            raise SlimGANError(
                "the digits classifier carries its weights", {"model.evaluator.weights_path": "leave {} out"}
            )
        return DigitsClassifier()
    return InceptionExtractor(weights_path) if name == "inception" else FidelityExtractor(name, weights_path)


def check_name(name: str) -> None:
    """Raise a SlimGANError unless an extractor of this name is known."""
    if name not in {"inception", DigitsClassifier.name, *FEATURE_EXTRACTORS_REGISTRY}:
        raise SlimGANError(
            f"there is no extractor {name!r}",
            {
                "": "give inception, digits, one of torch-fidelity's such as dinov2-vit-b-14, clip-vit-b-32 or vgg16",
                "model.evaluator.extractor.class_path": "the class_path of a module",
            },
        )


class FidelityExtractor(Recorded, nn.Module):
    """Network of torch-fidelity: DINOv2, CLIP, VGG16 or Inception, with its resize.

    Args:
        name: Its name there, such as ``dinov2-vit-b-14`` or ``clip-vit-b-32``.
        weights_path: File of its weights in torch-fidelity's form. Without it the weights come from the torch hub
            folder, and are downloaded there the first time.

    Raises:
        SlimGANError: If the weights cannot be read or downloaded.
    """

    resize = "bilinear as in TensorFlow 1 (torch-fidelity)"

    def __init__(self, name: str, weights_path: str | None = None) -> None:
        super().__init__()
        if name not in FEATURE_EXTRACTORS_REGISTRY:
            raise SlimGANError(
                f"torch-fidelity has no extractor {name!r}; it has {', '.join(FEATURE_EXTRACTORS_REGISTRY)}"
            )
        self.name = name
        if weights_path is not None:
            check_weights(name, weights_path)
        network = FEATURE_EXTRACTORS_REGISTRY[name]
        layers = [network.get_default_feature_layer_for_metric("fid")]
        if name == INCEPTION:
            layers.append("logits_unbiased")
        try:
            file = fetch_inception() if name == INCEPTION and weights_path is None else weights_path
            self.net = network(name, layers, file, verbose=False)
        except Exception as error:  # downloads and foreign files raise anything
            raise what_is_missing(name, weights_path, error) from error

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        output: tuple[Tensor, ...] = self.net(images)
        return (output[0], output[1]) if len(output) > 1 else output[0]


class InceptionExtractor(FidelityExtractor):
    """torch-fidelity's Inception for FID: 2048 pool features and unbiased logits.

    Args:
        weights_path: File of its weights in torch-fidelity's form. Without it the weights come from the torch hub
            folder, and are downloaded there the first time.
        antialias: Resize to 299x299 with antialiasing first, in place of the reference's plain bilinear resize. Such
            metrics carry the name ``inception-antialias``.

    Raises:
        SlimGANError: If the weights cannot be read or downloaded.
    """

    def __init__(self, weights_path: str | None = None, antialias: bool = False) -> None:
        super().__init__(INCEPTION, weights_path)
        self.antialias = antialias
        self.name = "inception-antialias" if antialias else "inception"
        if antialias:
            self.resize = "antialiased bilinear"

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        if self.antialias:
            size = (self.net.INPUT_IMAGE_SIZE, self.net.INPUT_IMAGE_SIZE)
            resized = F.interpolate(images.float(), size, mode="bilinear", antialias=True, align_corners=False)
            images = resized.round().clamp(0, 255).to(torch.uint8)
        return super().forward(images)


def fetch_inception() -> str:
    """Return the file of Inception's weights, downloaded if it is missing.

    torch-fidelity itself would run what is pickled in it; here it is read as tensors first.
    """
    torch.hub.load_state_dict_from_url(URL_INCEPTION_V3, map_location="cpu", progress=False, weights_only=True)
    return str(Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE)


def what_is_missing(name: str, weights_path: str | None, error: Exception) -> SlimGANError:
    """Return the error for weights that could not be loaded."""
    if weights_path is not None:
        expected = f"; give its {INCEPTION_FILE}" if name == INCEPTION else ""
        return SlimGANError(f"{weights_path} does not hold the weights of torch-fidelity's {name}{expected}")
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    file = INCEPTION_FILE if name == INCEPTION else "its file"
    stored = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
    if name == INCEPTION and stored.exists():
        return SlimGANError(f"{stored} is damaged ({reason}); delete it, so that it is downloaded again")
    return SlimGANError(
        f"the weights of {name} could not be downloaded ({reason})",
        {
            "": f"copy {file} from the releases of torch-fidelity into {torch.hub.get_dir()}/checkpoints",
            "model.evaluator.weights_path": "name a file with {}",
            "model.evaluator.extractor": "choose another {} such as digits",
            "model.evaluator": "evaluate nothing with {} null",
        },
    )


def check_weights(name: str, path: str) -> None:
    """Raise a SlimGANError unless a file holds plain tensors: torch-fidelity unpickles it."""
    if name.startswith("dinov2"):
        raise SlimGANError(f"torch-fidelity reads {name} from the torch hub folder alone; leave its weights_path out")
    if not Path(path).is_file():
        raise SlimGANError(f"there is no file {path}; name a file of the extractor's weights")
    if name.startswith("clip"):  # a TorchScript archive, which holds no pickled Python
        return
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SlimGANError(f"{path} is not a file of plain PyTorch weights; name a file of the extractor's") from error


class DigitsClassifier(Recorded, nn.Module):
    """A small classifier of handwritten digits: 64 pool features and ten logits.

    ``scripts/train_digits_classifier.py`` trained the weights that the package carries, on the training split of
    ``DigitsDataModule``; its accuracy on the test split is in ``docs/evaluation.md``. Images of another size are
    resized to 16x16, colours averaged.
    """

    name = "digits"
    resize = "antialiased bilinear"
    num_features = 64

    def __init__(self, pretrained: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.linear = nn.Linear(64, 10)
        if pretrained:
            self.load_state_dict(load_file(str(files("slimgan_pl.evaluation") / "weights" / "digits.safetensors")))
            self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = images.float().mean(dim=1, keepdim=True) / 127.5 - 1
        if x.shape[-2:] != (16, 16):
            x = F.interpolate(x, size=(16, 16), mode="bilinear", antialias=True, align_corners=False)
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        features = F.relu(self.conv3(x)).mean(dim=(2, 3))
        return features, self.linear(features)
