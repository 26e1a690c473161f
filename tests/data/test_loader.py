"""Batches are the array's images, each once, scaled by one formula."""

from pathlib import Path

import numpy as np
import torch

from slimgan_pl.data import ByteArray, ByteLoader, DigitsDataModule


def array(count: int) -> ByteArray:
    return ByteArray(np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1), np.arange(count))


def test_no_image_of_an_epoch_goes_to_two_processes_and_all_have_as_many_batches() -> None:
    loaders = [ByteLoader(array(23), 3, seed=1, rank=rank, world=2) for rank in range(2)]
    taken = [[int(x) for images, _ in loader for x in images.flatten()] for loader in loaders]
    assert [len(loader) for loader in loaders] == [3, 3]
    assert len({*taken[0], *taken[1]}) == 18


def test_iteration_continues_from_its_position() -> None:
    position = 0
    loader = ByteLoader(array(12), 3, seed=5, position=lambda: position)
    epochs = []
    for epoch in range(2):
        position = epoch * 4
        epochs.append([images.flatten().tolist() for images, _ in loader])
    assert epochs[0] != epochs[1]
    position = 6
    assert [images.flatten().tolist() for images, _ in loader] == epochs[1][2:]


def test_half_of_the_images_are_flipped_and_others_in_the_next_epoch() -> None:
    rows = np.arange(400, dtype=np.uint8).reshape(100, 1, 1, 4)  # ascending from left to right
    position = 0
    loader = ByteLoader(ByteArray(rows, np.arange(100)), 20, seed=3, position=lambda: position, flip=True)
    flipped: list[set[int]] = []
    for begun in (0, 5):
        position = begun
        flipped.append(set())
        for images, labels in loader:
            assert labels is not None
            for image, label in zip(images, labels.tolist(), strict=True):
                is_flipped = bool(image.flatten().tolist() == rows[label].flatten()[::-1].tolist())
                assert is_flipped or image.flatten().tolist() == rows[label].flatten().tolist()
                flipped[-1] |= {label} if is_flipped else set()
    assert all(35 < len(each) < 65 for each in flipped)
    assert 30 < len(flipped[0] ^ flipped[1]) < 70
    position = 7
    resumed = [images for images, _ in loader]
    position = 5
    assert all(map(torch.equal, resumed, [images for images, _ in loader][2:]))


def test_labels_stay_with_their_images() -> None:
    for images, labels in ByteLoader(array(12), 5, seed=0):
        assert labels is not None
        assert images.flatten().tolist() == labels.tolist()


def test_batches_of_a_memory_map_are_copies_of_its_images(tmp_path: Path) -> None:
    expected = np.random.default_rng(0).integers(0, 256, (12, 3, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "images.npy", expected)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r+")
    for images, labels in ByteLoader(ByteArray(mapped, np.arange(12)), 5, seed=0):
        assert labels is not None
        assert np.array_equal(images.numpy(), expected[labels.numpy()])
        images.zero_()
    assert np.array_equal(mapped, expected)


def test_a_byte_is_scaled_to_exactly_its_value_over_127_and_a_half_less_one() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    batch = DigitsDataModule().on_after_batch_transfer((pixels, None), 0)
    assert torch.equal(batch[0], pixels.float() / 127.5 - 1)  # type: ignore[arg-type]
    assert torch.equal(pixels.flatten(), torch.arange(256, dtype=torch.uint8))
