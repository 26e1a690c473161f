"""Feature extractors."""

from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError

import pytest
import torch
from torchvision.models import vgg16

from slimgan_pl.data import DigitsDataModule
from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import DigitsClassifier, FidelityExtractor, InceptionExtractor
from slimgan_pl.evaluation.extractors import make_extractor


@pytest.mark.parametrize("image_size", [16, 32])
def test_the_digits_classifier_knows_the_test_digits_of_any_size(image_size: Literal[16, 32]) -> None:
    data = DigitsDataModule(image_size)
    data.setup("test")
    images, labels = (torch.tensor(array) for array in data.arrays["test"][:2])
    features, logits = DigitsClassifier()(images.expand(-1, 3, -1, -1))
    assert features.shape == (450, 64)
    assert (logits.argmax(1) == labels).float().mean() >= 0.97


def test_inception_gives_pool_features_and_logits_from_a_local_file(inception_weights: Path) -> None:
    features, logits = InceptionExtractor(str(inception_weights))(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert features.shape == (2, 2048)
    assert logits.shape == (2, 1008)


def test_an_antialiased_resize_is_another_extractor(inception_weights: Path) -> None:
    plain, antialiased = (InceptionExtractor(str(inception_weights), antialias) for antialias in (False, True))
    assert (plain.name, antialiased.name) == ("inception", "inception-antialias")
    assert plain.resize != antialiased.resize
    smooth = torch.full((2, 3, 320, 320), 77, dtype=torch.uint8)
    torch.testing.assert_close(plain(smooth)[0], antialiased(smooth)[0], rtol=1e-4, atol=1e-4)


def test_vgg16_is_read_by_name_from_a_local_file(tmp_path: Path) -> None:
    torch.save(vgg16().state_dict(), tmp_path / "vgg16.pth")
    net = make_extractor("vgg16", str(tmp_path / "vgg16.pth"))
    assert net(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)).shape == (2, 4096)


@pytest.mark.parametrize("name", ["dinov2-vit-s-14", "clip-vit-b-32", "vgg16"])
def test_the_others_of_torch_fidelity_say_what_is_missing_offline(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    module = f"torch_fidelity.feature_extractor_{name.split('-')[0]}"
    places = {
        "dinov2": "torch.hub.load",
        "clip": f"{module}.load_state_dict_from_url",
        "vgg16": f"{module}.torchvision_load_pretrained_vgg16",
    }
    monkeypatch.setattr(places[name.split("-")[0]], offline)
    with pytest.raises(
        SlimGANError, match=rf"the weights of {name} could not be downloaded \(<urlopen error no network>\)"
    ):
        make_extractor(name)


def test_a_name_that_nothing_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(SlimGANError, match=r"no extractor 'incepton'.*give inception, digits, .* or the class_path"):
        make_extractor("incepton")


def test_a_missing_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(SlimGANError, match=r"no network.*weights_path"):
        InceptionExtractor()


@pytest.mark.parametrize("content", [None, b"not weights", {"fc.weight": torch.zeros(1)}])
def test_a_file_that_holds_no_inception_weights_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(SlimGANError, match=r"weights\.pth"):
        InceptionExtractor(str(path))


@pytest.mark.parametrize("name", ["inception", "digits", "nothing"])
def test_a_name_that_torch_fidelity_does_not_have_is_named(name: str) -> None:
    with pytest.raises(SlimGANError, match=f"torch-fidelity has no extractor '{name}'; it has .*dinov2-vit-b-14"):
        FidelityExtractor(name)
