"""A generator that is saved loads back as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from seasoned import NETS, draw_inputs, seasoned

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import DCGANGenerator, SlimmableGenerator, load_generator, save_generator
from slimgan_pl.models.folding import folded_slice


@torch.no_grad()
def images(generator: SlimmableGenerator, **more: Any) -> torch.Tensor:
    latents, labels = draw_inputs(generator, 3)
    result: torch.Tensor = generator(latents.to(generator.dtype), labels, **more)
    return result


@pytest.mark.parametrize("name", NETS)
def test_a_whole_generator_generates_the_same_at_every_width(name: str, tmp_path: Path) -> None:
    generator = seasoned(name)
    save_generator(generator, tmp_path / "g.safetensors")
    loaded = load_generator(tmp_path / "g.safetensors")
    assert type(loaded) is type(generator)
    assert loaded.widths == generator.widths
    for width in generator.widths:
        assert torch.equal(images(loaded, width=width), images(generator, width=width))


@pytest.mark.parametrize("name", [name for name in NETS if name != "one width"])
@pytest.mark.parametrize("fold", [False, True])
def test_a_slice_generates_the_same_and_knows_its_width(name: str, fold: bool, tmp_path: Path) -> None:
    generator = seasoned(name)
    narrow = folded_slice(generator, 0.5) if fold else generator.slice(0.5)
    save_generator(narrow, tmp_path / "g.safetensors", width=0.5)
    loaded = load_generator(tmp_path / "g.safetensors")
    assert not loaded.training
    torch.testing.assert_close(images(loaded), images(narrow), rtol=0, atol=1e-6)  # the layout may differ
    loaded(*draw_inputs(loaded, 1)).numpy()  # which gradients would forbid
    with safe_open(tmp_path / "g.safetensors", framework="pt") as file:
        metadata = json.loads(file.metadata()["slimgan"])
    assert metadata["widths"] == [0.5]
    assert metadata["arguments"]["channels"] == list(generator.channels_at(0.5))


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    save_generator(seasoned("one width"), tmp_path / "new" / "g.safetensors")
    load_generator(tmp_path / "new" / "g.safetensors")


def test_half_precision_stays_half(tmp_path: Path) -> None:
    narrow = seasoned("dcgan").slice(0.5).half()
    save_generator(narrow, tmp_path / "g.safetensors")
    loaded = load_generator(tmp_path / "g.safetensors")
    assert loaded.dtype == torch.float16
    assert torch.equal(images(loaded), images(narrow))


class OwnGenerator(DCGANGenerator):
    """A generator of another package."""


def test_a_class_of_ones_own_is_loaded_where_it_is_given(tmp_path: Path) -> None:
    own = OwnGenerator((4, 4), latent_dim=3).eval()
    save_generator(own, tmp_path / "own.safetensors")
    with pytest.raises(SlimGANError, match="OwnGenerator, which is not a generator of this package; give its class"):
        load_generator(tmp_path / "own.safetensors")
    assert torch.equal(images(load_generator(tmp_path / "own.safetensors", [OwnGenerator])), images(own))


def break_file(path: Path, how: str) -> None:
    save_generator(seasoned("dcgan"), path)
    weights = load_file(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    values = json.loads(metadata["slimgan"])
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "foreign":
        save_file(weights, path)
    elif how == "newer":
        save_file(weights, path, {"slimgan": json.dumps({**values, "version": 99})})
    elif how == "other weights":
        save_file({**weights, "image.weight": torch.ones(2)}, path, metadata)
    elif how == "other settings":
        save_file(weights, path, {"slimgan": json.dumps({**values, "arguments": {"channels": "many"}})})
    elif how == "a class that is a list":
        save_file(weights, path, {"slimgan": json.dumps({**values, "class": ["DCGANGenerator"]})})
    elif how == "no settings":
        save_file(weights, path, {"slimgan": json.dumps({"version": 1, "class": "DCGANGenerator"})})


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", "there is no file"),
        ("cut", "it is damaged or in another format"),
        ("foreign", "does not say what net it holds"),
        ("newer", "written by a newer slimgan-pl; upgrade"),
        ("other weights", "do not fit its settings"),
        ("other settings", "do not fit its settings"),
        ("no settings", "do not fit its settings"),
        ("a class that is a list", "is not a generator of this package"),
    ],
)
def test_a_file_that_is_broken_is_refused_in_one_sentence(how: str, words: str, tmp_path: Path) -> None:
    break_file(tmp_path / "g.safetensors", how)
    with pytest.raises(SlimGANError, match=words) as error:
        load_generator(tmp_path / "g.safetensors")
    assert "\n" not in str(error.value)
