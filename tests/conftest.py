"""Small nets and data that the tests share."""

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonargparse._typehints as typehints
import numpy as np
import pytest
import torch
from commands import TINY, run
from hypothesis import settings as hypothesis_settings
from lightning.pytorch import Trainer
from PIL import Image
from sharing import fill_once
from threadpoolctl import threadpool_limits
from torch.onnx._internal.exporter._registration import ONNXRegistry
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.training.slimgan import SlimGAN

WIDTHS = (0.25, 0.5, 1.0)

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before any test imports ONNX Runtime
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of processes that tests start: more would wait for each other

hypothesis_settings.register_profile("few", max_examples=10)  # of make test


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep caches out of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep numpy's algebra to one thread: those of several workers would wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def subclasses_listed_once() -> Iterator[None]:
    """Keep the list of all modules of PyTorch, which jsonargparse makes 26 times per command, until imports change."""
    original, lists = typehints.get_all_subclass_paths, dict[Any, list[str]]()

    def list_once(kind: type, **options: bool) -> list[str]:
        key = kind, *options.items(), hash(tuple(sys.modules))
        if key not in lists:
            lists[key] = original(kind, **options)
        return lists[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typehints, "get_all_subclass_paths", list_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def onnx_operators_read_once() -> Iterator[None]:
    """Keep the exporter's table of operators, which it reads from source code for each graph that it traces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(cache(ONNXRegistry.from_torchlib)))
        yield


@pytest.fixture(autouse=True)
def deterministic() -> None:
    """Seed each test."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the nets are tiny


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a tiny configuration, in a folder of its own that is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path / "tiny.yaml"


@pytest.fixture(scope="session")
def two_runs(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two tiny runs that were evaluated twice, in ``digits`` and in ``none``; it is only read."""

    def fit(folder: Path) -> None:
        (folder / "tiny.yaml").write_text(TINY)
        often = ("--trainer.max_steps", 4, "--trainer.val_check_interval", 2, "--trainer.log_every_n_steps", 1)
        torch.set_num_threads(1)
        for name, target in (("digits", "next"), ("none", "none")):
            where = ("--trainer.default_root_dir", folder / name, "--model.distill_target", target)
            run("fit", "--config", folder / "tiny.yaml", *often, *where)

    return fill_once(tmp_path_factory, "two_runs", fit)


@pytest.fixture(scope="session")
def tiny_run(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run of the tiny configuration as it stands; it is only read."""

    def fit(folder: Path) -> None:
        (folder / "tiny.yaml").write_text(TINY)
        torch.set_num_threads(1)
        run("fit", "--config", folder / "tiny.yaml", "--trainer.default_root_dir", folder / "runs")

    return fill_once(tmp_path_factory, "tiny_run", fit) / "runs" / "version_0"


@pytest.fixture(scope="session")
def digits_checkpoint(two_runs: Path) -> Path:
    """Return the checkpoint of the first of these runs."""
    return two_runs / "digits" / "version_0" / "checkpoints" / "last.ckpt"


@pytest.fixture
def make_model() -> Callable[..., SlimGAN]:
    """Return a function that builds a tiny SlimGAN for grey 8x8 images."""

    def make(**settings: Any) -> SlimGAN:
        generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=WIDTHS)
        bank = DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=3, num_shared=1)
        return SlimGAN(generator, bank, **settings)

    return make


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """Return a function that builds a quiet trainer on the CPU."""

    def make(**settings: Any) -> Trainer:
        quiet = {
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "limit_val_batches": 0,
            "accelerator": "cpu",
            "default_root_dir": tmp_path,
        }
        return Trainer(**{**quiet, **settings})

    return make


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 24 colour images of several formats in two classes, with both splits; it is only read."""

    def write(root: Path) -> None:
        random = np.random.default_rng(0)
        for split, count in (("train", 8), ("test", 4)):
            for name in ("cat", "dog"):
                folder = root / split / name
                folder.mkdir(parents=True)
                for number in range(count):
                    pixels = random.integers(0, 256, (200, 180, 3), dtype=np.uint8)
                    suffix = ("png", "jpg", "webp", "bmp")[number % 4]
                    Image.fromarray(pixels).save(folder / f"{number}.{suffix}")

    return fill_once(tmp_path_factory, "images", write)


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of random weights in the form of torch-fidelity's Inception, whose features vary with the image."""

    class Untrained(FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, state_dict: Any) -> None:
            pass

    def write(folder: Path) -> None:
        torch.save({}, folder / "empty.pth")
        torch.manual_seed(0)
        net = Untrained("inception-v3-compat", ["2048"], str(folder / "empty.pth"))
        for layer in net.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
                torch.nn.init.kaiming_normal_(layer.weight)
        torch.save(net.state_dict(), folder / "random.pth")

    return fill_once(tmp_path_factory, "inception", write) / "random.pth"
