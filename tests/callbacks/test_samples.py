"""Grids of samples."""

import torch

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import sample_grid
from slimgan_pl.models import Classes, ResNetDiscriminatorBank, ResNetGenerator
from slimgan_pl.utils.images import to_bytes

CELL = 64 + 1  # an image of 8 pixels enlarged to 64, and a line


def conditional(num_classes: int) -> SlimGAN:
    generator = ResNetGenerator((8, 8), latent_dim=8, widths=(0.5, 1.0), num_classes=num_classes)
    bank = ResNetDiscriminatorBank((4, 8), 1, num_branches=2, num_classes=num_classes)
    return SlimGAN(generator, bank)


def test_a_conditional_grid_has_a_row_per_class_and_width() -> None:
    model = conditional(3)
    grid = sample_grid(model, num_latents=5, seed=7)
    assert torch.equal(grid, sample_grid(model.generator, num_latents=5, seed=7))
    names, grid = grid[..., : -(5 * CELL + 1)], grid[..., -(5 * CELL + 1) :]
    assert grid.shape == (3, 3 * 2 * CELL + 1, 5 * CELL + 1)
    assert all((row < 128).any() for row in names[:, :-1].split(CELL, dim=1))  # a name beside each row
    labels = torch.full((5,), 2)
    expected = to_bytes(model.sample(5, 1.0, labels, torch.Generator().manual_seed(7)))[4]
    cell = grid[:, 5 * CELL + 1 :: 8, 4 * CELL + 1 :: 8][:, :8, :8]
    assert torch.equal(cell, expected)


def test_a_grid_of_one_class_has_a_row_per_width() -> None:
    assert sample_grid(conditional(3), 2, seed=0, label=1).shape[1] == 2 * CELL + 1


def test_rows_are_named_for_class_and_width_and_for_a_number_where_the_font_lacks_letters() -> None:
    model = conditional(3)

    def names(*classes: str) -> torch.Tensor:
        model.generator.classes = Classes(classes)
        return sample_grid(model, 2, seed=0)[..., : -(2 * CELL + 1)]

    assert torch.equal(names("猫", "größe", ""), names("0", "1", "2"))
    assert not torch.equal(names("0", "1", "cat"), names("0", "1", "2"))
    first, second = names("0", "1", "2")[:, : 2 * CELL].split(CELL, dim=1)
    assert not torch.equal(first, second)  # the widths
    assert names("a" * 500, "1", "2").shape[-1] < 200
    model.generator.classes = Classes(("0", "1", "2"))
    assert sample_grid(model, 2, seed=0, named=False).shape[-1] == 2 * CELL + 1


def test_rows_of_a_generator_without_classes_are_not_named() -> None:
    assert sample_grid(conditional(0), 2, seed=0).shape[-1] == 2 * CELL + 1


def test_a_grid_of_many_classes_shows_ten() -> None:
    assert sample_grid(conditional(100), 1, seed=0).shape[1] == 10 * 2 * CELL + 1
