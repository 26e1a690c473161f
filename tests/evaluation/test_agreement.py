"""All metrics equal those of torch-fidelity on the same images and weights."""

import importlib.util
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch_fidelity
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from slimgan_pl.data import ByteArray
from slimgan_pl.evaluation import Evaluator, FolderSource

SHARED = Path(__file__).parents[3] / "shared"

NAMES = {
    "fid": "frechet_inception_distance",
    "kid": "kernel_inception_distance_mean",
    "kid_std": "kernel_inception_distance_std",
    "is": "inception_score_mean",
    "is_std": "inception_score_std",
    "precision": "precision",
    "recall": "recall",
}


class Images(Dataset[Tensor]):
    """Images as torch-fidelity takes them."""

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(self.images[index])


def reference(fakes: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8], **settings: Any) -> dict[str, float]:
    """Return torch-fidelity's metrics by our names."""
    metrics = torch_fidelity.calculate_metrics(
        input1=Images(fakes),
        input2=Images(real),
        isc=True,
        fid=True,
        kid=True,
        prc=True,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
        **settings,
    )
    return {name: metrics[key] for name, key in NAMES.items()}


def ours(
    fakes: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8], folder: Path, evaluator: Evaluator
) -> dict[str, Any]:
    """Return our metrics of fakes that lie in a folder as PNG files."""
    paths = [folder / f"{number:05d}.png" for number in range(len(fakes))]
    for path, image in zip(paths, fakes, strict=True):
        Image.fromarray(image.transpose(1, 2, 0)).save(path)
    _, height, width = fakes[0].shape
    source = FolderSource(folder, paths, (3, height, width), torch.device("cpu"))
    row: dict[str, Any] = evaluator.evaluate(source, ByteArray(real, None))["widths"][0]
    return {name.partition("_Cifar")[0]: value for name, value in row.items()}


def test_metrics_equal_torch_fidelitys_with_inception(inception_weights: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (38, 3, 24, 24), dtype=np.uint8)
    fakes, real = noise[:17] // 2, np.repeat(np.repeat(noise[17:, :, ::4, ::4], 4, 2), 4, 3)
    expected = reference(
        fakes,
        real,
        feature_extractor="inception-v3-compat",
        feature_extractor_weights_path=str(inception_weights),
        kid_subset_size=17,
    )
    evaluator = Evaluator("inception", str(inception_weights))
    metrics = ours(fakes, real, tmp_path, evaluator)
    assert {name: metrics[name] for name in NAMES} == pytest.approx(expected, rel=1e-4)


@pytest.fixture
def cifar_features() -> Iterator[Any]:
    """Return the CIFAR extractor, which torch-fidelity knows as ``cifar`` for a while."""
    path = SHARED / "tools" / "cifar_features.py"
    if not path.is_file():
        pytest.skip("the CIFAR extractor is not here")
    spec = importlib.util.spec_from_file_location("cifar_features", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Registered(FeatureExtractorBase):  # type: ignore[misc]
        def __init__(self, name: str, features_list: list[str], **_: Any) -> None:
            super().__init__(name, features_list)
            self.nets = {"features": module.CifarFeatures(), "logits": module.CifarFeatures(logits=True)}

        def forward(self, images: Tensor) -> tuple[Tensor, ...]:
            return tuple(self.nets[name](images) for name in self.features_list)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return "features", "logits"

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "logits" if metric == "isc" else "features"

    FEATURE_EXTRACTORS_REGISTRY["cifar"] = Registered
    yield module.CifarFeatures
    del FEATURE_EXTRACTORS_REGISTRY["cifar"]


def cifar_images(split: str, count: int) -> npt.NDArray[np.uint8]:
    """Return CIFAR-10 images ``(count, 3, 32, 32)`` of a split, of all classes."""
    with tarfile.open(SHARED / "data" / "cifar10-jpeg.tar.xz") as archive:
        members = [member for member in archive if member.name.startswith(split) and member.isfile()]
        chosen = members[:: len(members) // count][:count]
        images = [np.asarray(Image.open(io.BytesIO(archive.extractfile(member).read()))) for member in chosen]  # type: ignore[union-attr]
    stacked: npt.NDArray[np.uint8] = np.stack(images).transpose(0, 3, 1, 2)
    return stacked


@pytest.mark.slow
def test_metrics_equal_torch_fidelitys_with_the_cifar_extractor(cifar_features: Any, tmp_path: Path) -> None:
    images = cifar_images("test", 2400)
    fakes, real = images[::2][:1100] // 2 + 60, images[1::2]
    expected = reference(fakes, real, feature_extractor="cifar")
    evaluator = Evaluator(cifar_features(), classifier=cifar_features(logits=True))
    metrics = ours(fakes, real, tmp_path, evaluator)
    assert {name: metrics[name] for name in NAMES} == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_two_halves_of_real_images_are_near_and_a_half_is_itself(cifar_features: Any, tmp_path: Path) -> None:
    images = cifar_images("test", 1600)
    evaluator = Evaluator(cifar_features(), classifier=cifar_features(logits=True), metrics=["fid", "prdc"])
    evens, odds = images[::2], images[1::2]
    noise = np.random.default_rng(0).integers(0, 256, odds.shape, dtype=np.uint8)
    itself, near, far = (ours(fakes, evens, tmp_path, evaluator) for fakes in (evens, odds, noise))
    assert itself["fid"] == pytest.approx(0, abs=1e-6)
    assert near["fid"] < 0.01 * far["fid"]
    assert near["density"] == pytest.approx(1, abs=0.1)
