"""Fakes are of each class as often as the training images, and every checkpoint knows the classes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import fails, run
from evaluations import digits
from lightning.pytorch import Trainer
from PIL import Image
from torch import Tensor

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.data import ImageFolderDataModule
from slimgan_pl.evaluation import EvaluationResults
from slimgan_pl.models import Classes, DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.models.classes import LabelSampling
from slimgan_pl.runs.carried_settings import read_carried_settings
from slimgan_pl.runs.checkpoint_reader import load_generator
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint

COUNTS = {"cat": 40, "dog": 3, "h\n猫": 2}  # training images
CLASSES = Classes(("cat", "dog", "h?猫"), (40, 3, 2))


@pytest.fixture(scope="module")
def skewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, random = tmp_path_factory.mktemp("skewed"), np.random.default_rng(0)
    for split, extra in (("train", 0), ("test", 10)):
        for name, count in COUNTS.items():
            (root / split / name).mkdir(parents=True)
            for number in range(count + extra):
                pixels = random.integers(0, 256, (8, 8), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
    return root


def train(root: Path, trainer: Trainer, labels: LabelSampling = "data", ckpt_path: Path | None = None) -> SlimGAN:
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0), num_classes=3)
    bank = DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=2, num_shared=1, num_classes=3)
    evaluator = digits(metrics=["fid"], num_fake=30)
    model = SlimGAN(generator, bank, labels=labels, evaluator=evaluator)
    data = ImageFolderDataModule(str(root), image_size=8, image_channels=1, batch_size=40)
    trainer.fit(model, datamodule=data, ckpt_path=ckpt_path)
    return model


def test_uniform_labels_and_pairs_of_the_same_class_exclude_each_other() -> None:
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0), num_classes=3)
    bank = DCGANDiscriminatorBank((4, 8), image_channels=1, num_branches=2, num_shared=1, num_classes=3)
    with pytest.raises(SlimGANError, match=r"labels of the training images; set --model\.labels data"):
        SlimGAN(generator, bank, adversarial_loss="relativistic", labels="uniform")


@pytest.mark.parametrize(("labels", "low", "high"), [("data", 0.8, 0.97), ("uniform", 0.23, 0.43)])
def test_training_evaluation_and_samples_have_the_classes_of_the_data(
    labels: LabelSampling, low: float, high: float, skewed: Path, make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    seen: list[Tensor] = []
    synthesize = DCGANGenerator.synthesize

    def watched(self: DCGANGenerator, latents: Tensor, given: Tensor | None, width: float) -> Tensor:
        assert given is not None
        seen.append(given)
        return synthesize(self, latents, given, width)

    def share() -> float:
        found = torch.cat(seen)
        seen.clear()
        return (found == 0).float().mean().item()

    trainer = make_trainer(max_steps=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DCGANGenerator, "synthesize", watched)
        model = train(skewed, trainer, labels)
        assert low < share() < high
        trainer.test(model, datamodule=model.trainer.datamodule, verbose=False)  # type: ignore[attr-defined]
        assert low < share() < high
        model.sample(200)
        assert low < share() < high
    results = EvaluationResults.from_json(model.results)
    assert results.protocol["labels"] == labels
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    expected = CLASSES.sampled(labels)
    assert load_generator(tmp_path / "a.ckpt").classes == expected
    for loaded in (load_model(tmp_path / "a.ckpt"), SlimGAN.load_from_checkpoint(tmp_path / "a.ckpt")):
        assert loaded.classes == CLASSES
        assert loaded.generator.classes == expected


def test_samples_of_a_class_are_asked_for_by_its_name(
    skewed: Path, make_trainer: Callable[..., Trainer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = make_trainer(max_steps=1)
    train(skewed, trainer)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    for label in ("dog", "1"):
        output = tmp_path / f"{label}.png"
        run("sample", "--ckpt_path", tmp_path / "a.ckpt", "--label", label, "--output", output)
        assert f"64 images of dog at width 1.0 in {output}" in capsys.readouterr().out
    assert (tmp_path / "dog.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    code, line = fails(capsys, "sample", "--ckpt_path", tmp_path / "a.ckpt", "--label", "dgo")
    assert (code, "no class dgo; did you mean dog? give one of cat, dog, h?猫, or its number" in line) == (1, True)
    run("export", "--ckpt_path", tmp_path / "a.ckpt", "--output", tmp_path / "export")
    card = (tmp_path / "export" / "model_card.md").read_text()
    assert "Classes, in the order of their labels: cat, dog, h?猫. Training images of each: 40, 3, 2." in card


def test_a_checkpoint_of_an_earlier_version_resumes_with_uniform_labels(
    skewed: Path, make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    trainer = make_trainer(max_steps=1)
    train(skewed, trainer)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    old = read_checkpoint(tmp_path / "a.ckpt")
    assert read_carried_settings(old, "a.ckpt")["model.labels"] == "data"
    del old["classes"], old["hyper_parameters"]["labels"]
    torch.save(old, tmp_path / "old.ckpt")
    assert read_carried_settings(read_checkpoint(tmp_path / "old.ckpt"), "old.ckpt")["model.labels"] == "uniform"
    assert load_model(tmp_path / "old.ckpt").labels == "uniform"
    assert load_generator(tmp_path / "old.ckpt").classes == Classes.numbered(3)
    resumed = train(skewed, make_trainer(max_steps=2), "uniform", tmp_path / "old.ckpt")
    assert resumed.generator.classes == CLASSES.sampled("uniform")


def test_results_without_labels_compare_with_all() -> None:
    def results(**labels: str | None) -> EvaluationResults:
        known = {"iteration": 1, "widths": [{"width": 1.0, "fid": 1.0}], "extractor": {"name": "inception"}}
        return EvaluationResults.from_json({**known, "protocol": {"seeds": [0], **labels}})

    assert results().is_comparable(results(labels="uniform"))
    assert results().is_comparable(results(labels=None))
    assert results(labels=None).is_comparable(results(labels="data"))
    assert not results().is_comparable(results(labels="data"))
