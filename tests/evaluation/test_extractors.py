"""Feature extractors."""

from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError

import pytest
import torch
from torch_fidelity import feature_extractor_inceptionv3

from slimgan_pl.data import DigitsDataModule
from slimgan_pl.errors import UserError
from slimgan_pl.evaluation import DigitsClassifier, InceptionExtractor


@pytest.mark.parametrize("image_size", [16, 32])
def test_the_digits_classifier_knows_the_test_digits_of_any_size(image_size: Literal[16, 32]) -> None:
    data = DigitsDataModule(image_size)
    data.setup("test")
    images, labels = (torch.tensor(array) for array in data.arrays["test"])
    features, logits = DigitsClassifier()(images.expand(-1, 3, -1, -1))
    assert features.shape == (450, 64)
    assert (logits.argmax(1) == labels).float().mean() >= 0.97


@pytest.fixture(scope="module")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of random weights in the form of torch-fidelity's Inception."""
    folder = tmp_path_factory.mktemp("inception")
    torch.save({}, folder / "empty.pth")

    class Untrained(feature_extractor_inceptionv3.FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, state_dict: Any) -> None:
            pass

    net = Untrained("inception-v3-compat", ["2048"], str(folder / "empty.pth"))
    torch.save(net.state_dict(), folder / "random.pth")
    return folder / "random.pth"


def test_inception_gives_pool_features_and_logits_from_a_local_file(inception_weights: Path) -> None:
    features, logits = InceptionExtractor(str(inception_weights))(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert features.shape == (2, 2048)
    assert logits.shape == (2, 1008)


def test_a_missing_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(feature_extractor_inceptionv3, "load_state_dict_from_url", offline)
    with pytest.raises(UserError, match=r"no network.*weights_path"):
        InceptionExtractor()


@pytest.mark.parametrize("content", [None, b"not weights", {"fc.weight": torch.zeros(1)}])
def test_a_file_that_holds_no_inception_weights_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UserError, match=r"weights\.pth"):
        InceptionExtractor(str(path))
