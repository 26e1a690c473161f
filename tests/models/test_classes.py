"""Labels are as frequent as their classes, and no sample depends on how many others there are."""

from pathlib import Path

import pytest
import torch
from seasoned import seasoned
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import Classes, DCGANGenerator, load_generator, save_generator
from slimgan_pl.models.folding import folded_slice


def generator(latent_dim: int = 5, num_classes: int = 0) -> DCGANGenerator:
    return DCGANGenerator((4, 4), latent_dim=latent_dim, widths=(0.5, 1.0), num_classes=num_classes)


def labels_of(counts: tuple[int, ...], count: int = 20_000) -> Tensor:
    net = generator(num_classes=len(counts))
    net.classes = Classes(tuple(map(str, range(len(counts)))), counts)
    labels = net.draw_inputs(count, torch.Generator().manual_seed(0)).labels
    assert labels is not None
    return labels


@pytest.mark.parametrize("num_classes", [0, 1, 3])
@pytest.mark.parametrize("latent_dim", [1, 5, 15, 16, 17, 100])
def test_sample_number_n_does_not_depend_on_how_many_are_asked_for(latent_dim: int, num_classes: int) -> None:
    net = generator(latent_dim, num_classes)
    many = net.draw_inputs(200, torch.Generator().manual_seed(3))
    for count in (1, 2, 3, 7, 33, 199):
        few = net.draw_inputs(count, torch.Generator().manual_seed(3))
        assert torch.equal(few.latents, many.latents[:count])
        if num_classes:
            assert few.labels is not None
            assert many.labels is not None
            assert torch.equal(few.labels, many.labels[:count])


@pytest.mark.parametrize("latent_dim", [16, 128])
def test_latents_of_whole_blocks_are_those_of_torch_randn(latent_dim: int) -> None:
    latents, _ = generator(latent_dim).draw_inputs(9, torch.Generator().manual_seed(3))
    assert torch.equal(latents, torch.randn(9, latent_dim, generator=torch.Generator().manual_seed(3)))


def test_given_labels_leave_the_latents_as_they_are() -> None:
    net, given = generator(num_classes=3), torch.tensor([2, 0, 1, 1])
    sampled = net.draw_inputs(4, torch.Generator().manual_seed(1))
    replaced = net.draw_inputs(4, torch.Generator().manual_seed(1), given)
    assert torch.equal(sampled.latents, replaced.latents)
    assert replaced.labels is given


@pytest.mark.parametrize("counts", [(900, 40, 3), (0, 7, 0, 0, 1, 0), (1, 1, 1, 1, 1, 1, 1), (5,), (1, 10**9, 1)])
def test_labels_are_as_frequent_as_their_classes(counts: tuple[int, ...]) -> None:
    found = torch.bincount(labels_of(counts), minlength=len(counts))
    assert len(found) == len(counts)
    shares = torch.tensor(counts, dtype=torch.float64) / sum(counts)
    expected = shares * found.sum()
    assert ((found - expected).abs() <= 4 * (expected * (1 - shares)).sqrt()).all()  # so none without images
    assert found.sum() == 20_000


def test_no_number_is_too_far_out_for_a_class_with_images() -> None:
    classes = Classes(("a", "b", "c", "d"), (0, 2, 2, 0))
    assert classes.labels_of(torch.tensor([-40.0, -1e-6, 1e-6, 40.0])).tolist() == [1, 1, 2, 2]


def test_equal_counts_are_uniform_and_without_counts_labels_are_too() -> None:
    assert torch.equal(labels_of((6, 6, 6)), labels_of((1, 1, 1)))
    assert Classes.numbered(3).sampled("data").sampling == "uniform"
    skewed = Classes(("a", "b"), (9, 1))
    assert skewed.sampling == "data"
    assert skewed.sampled("uniform").sampling == "uniform"


def test_classes_follow_a_generator_into_its_slices_and_files(tmp_path: Path) -> None:
    net = seasoned("sliceable resnet")
    net.classes = Classes(("cat", "dog", "größe", "猫", "e"), (9, 1, 0, 4, 4))
    narrow, folded = net.slice(0.5), folded_slice(net, 0.5)
    for each in (narrow, folded, net.individual(0.5)):
        assert each.classes == net.classes
    for each in (net, narrow, folded):
        save_generator(each, tmp_path / "g.safetensors")
        assert load_generator(tmp_path / "g.safetensors").classes == net.classes
    assert not [name for name in net.state_dict() if "classes" in name and "norm" not in name]


def test_another_number_of_names_is_refused() -> None:
    with pytest.raises(SlimGANError, match="2 names of classes but the generator has num_classes 3"):
        generator(num_classes=3).classes = Classes(("a", "b"))
    with pytest.raises(SlimGANError, match="a number of images each"):
        Classes(("a", "b"), (0, 0))


def test_a_class_is_found_by_its_name_before_its_number() -> None:
    classes = Classes(("1", "10", "2"))
    assert [classes.number_of(label) for label in ("1", "10", "2", 2, "0")] == [0, 1, 2, 2, 0]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("cta", "no class cta; did you mean cat? give one of cat, dog, horse, or its number from 0 to 2"),
        ("Dog", "no class Dog; did you mean dog? give one of"),
        ("3", "no class 3; give one of cat, dog, horse, or its number from 0 to 2"),
        (-1, "no class -1; give one of"),
    ],
)
def test_a_class_that_is_not_there_is_told_with_those_that_are(label: int | str, words: str) -> None:
    with pytest.raises(SlimGANError) as error:
        Classes(("cat", "dog", "horse")).number_of(label)
    assert words in str(error.value)


def test_a_class_is_found_in_each_form_of_unicode() -> None:
    assert Classes(("a", "\u00e9")).number_of("e\u0301") == 1
