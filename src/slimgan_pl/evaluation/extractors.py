"""Feature extractors.

An extractor is a module that maps uint8 images ``(N, 3, H, W)`` in [0, 255] to features ``(N, F)``, or to a pair of
features and class logits ``(N, K)``. Any module of that form will do; only Inception's figures are called FID, IS and
mIC without the extractor's name.
"""

from importlib.resources import files
from pathlib import Path
from urllib.error import URLError

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from slimgan_pl.errors import UserError
from slimgan_pl.recorded import Recorded

WEIGHTS_FILE = "weights-inception-2015-12-05-6726825d.pth"

__all__ = ["DigitsClassifier", "InceptionExtractor"]


class InceptionExtractor(Recorded, nn.Module):
    """The Inception network that FID was defined with, torch-fidelity's port: 2048 pool features and unbiased logits.

    Args:
        weights_path: File of its weights in torch-fidelity's form. Without it the weights come from the torch hub
            folder, and are downloaded there the first time.

    Raises:
        UserError: If the weights cannot be read or downloaded.
    """

    name = "inception"

    def __init__(self, weights_path: str | None = None) -> None:
        super().__init__()
        if weights_path is not None:
            check_weights(weights_path)
        try:
            self.net = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], weights_path)
        except (URLError, OSError) as error:
            raise UserError(
                f"the Inception weights could not be downloaded ({error}); copy {WEIGHTS_FILE} from the releases of "
                f"torch-fidelity into {torch.hub.get_dir()}/checkpoints, name the file with "
                "--model.evaluator.extractor.weights_path, choose another extractor, or judge nothing with "
                "--model.evaluator null"
            ) from error
        except RuntimeError as error:
            raise UserError(
                f"{weights_path or 'the downloaded file'} does not hold the Inception weights of torch-fidelity; give "
                f"its {WEIGHTS_FILE}"
            ) from error

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = self.net(images)
        return features, logits


def check_weights(path: str) -> None:
    """Raise a UserError unless a file holds plain tensors; torch-fidelity itself would run what is pickled in it."""
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}; name a file of Inception weights")
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(f"{path} is not a file of plain PyTorch weights; name a file of Inception weights") from error


class DigitsClassifier(Recorded, nn.Module):
    """A small classifier of handwritten digits: 64 pool features and ten logits.

    ``scripts/train_digits_classifier.py`` trained the weights that the package carries, on the training split of
    ``DigitsDataModule``; its accuracy on the test split is in ``docs/evaluation.md``. Images of another size are
    resized to 16x16, colours averaged.
    """

    name = "digits"
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
