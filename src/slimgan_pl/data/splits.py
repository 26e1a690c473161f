"""Splits and classes of a folder of images, from its paths."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from lightning.pytorch.utilities import rank_zero_warn

from slimgan_pl.errors import SlimGANError, SlimGANWarning

__all__ = ["MIN_TEST", "Entry", "Splits", "find_splits"]

TRAIN_NAMES = ("train", "training")  # in any case; the first that exists is used
TEST_NAMES = ("test", "testing", "val", "valid", "validation", "eval")

MIN_TEST = 2  # test images: a covariance needs two
MOST_NAMED = 5  # folders named in a warning


class Entry(NamedTuple):
    """Image file and its class, or -1."""

    path: Path
    label: int


class Splits(NamedTuple):
    """Images of both splits.

    ``left_out`` names what neither split takes. ``is_held_out`` says that the test images are a share of one folder.
    """

    classes: list[str]
    train: list[Entry]
    test: list[Entry]
    left_out: list[str]
    is_held_out: bool


def find_splits(root: Path, paths: Sequence[Path], test_fraction: float) -> Splits:
    """Assign the images of a folder to splits and classes.

    Args:
        root: The folder.
        paths: All images under it.
        test_fraction: Share of the test images where the folder has no test split.

    Raises:
        SlimGANError: If a split has too few images, or the folders leave open which split is meant.
    """
    with os.scandir(root) as entries:
        folders = sorted(entry.name for entry in entries if is_folder(entry))
    train, test = (choose_folder(root, folders, names) for names in (TRAIN_NAMES, TEST_NAMES))
    if train is not None and test is not None:
        return use_both(root / train, root / test, paths)
    tops = {top_folder(root, path) for path in paths}
    if test is not None and tops == {test}:
        raise SlimGANError(
            f"{root} holds test images alone, in {test}",
            {"": f"put the training images into {root / 'train'}", "data.root": f"name {root / test} itself with {{}}"},
        )
    return hold_out(root / train if train is not None and tops == {train} else root, paths, test_fraction)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or a link to one."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def choose_folder(root: Path, folders: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the folder with the first of the names, in any case."""
    for name in names:
        found = [folder for folder in folders if folder.lower() == name]
        if len(found) > 1:
            raise SlimGANError(f"{root} holds both {' and '.join(found)}; merge them, or rename one")
        if found:
            return found[0]
    return None


def use_both(train: Path, test: Path, paths: Sequence[Path]) -> Splits:
    """Assign the images of two folders; others are left out.

    Labels of the test images are not needed: they are omitted unless all lie in classes of the training images.
    """
    root = train.parent
    inside: dict[Path, list[Path]] = {train: [], test: []}
    others: Counter[str | None] = Counter()
    for path in paths:
        top = top_folder(root, path)
        if top in (train.name, test.name):
            inside[root / top].append(path)
        else:
            others[top] += 1
    for folder, found in inside.items():
        if not found:
            raise SlimGANError(f"there are no images in {folder}; put some there, or name another folder")
    if len(inside[test]) < MIN_TEST:
        raise SlimGANError(f"there is 1 image in {test}; give at least {MIN_TEST} to evaluate with")
    classes = class_names(train, inside[train])
    unknown = sorted({class_of(test, path) or "" for path in inside[test]}.difference(classes, [""]))
    if classes and unknown:
        named = ", ".join(unknown[:MOST_NAMED]) + (", ..." if len(unknown) > MOST_NAMED else "")
        rank_zero_warn(
            f"{test} holds what is no class of the training images: {named}; its images are evaluated all the same",
            category=SlimGANWarning,
        )
    left_out = [
        f"{number:,} image{'s' * (number != 1)} {'beside the splits' if top is None else f'in {top}'}"
        for top, number in others.items()
    ]
    entries = {folder: label_images(folder, found, classes) for folder, found in inside.items()}
    return Splits(classes, entries[train], entries[test], left_out, False)


def hold_out(folder: Path, paths: Sequence[Path], test_fraction: float) -> Splits:
    """Hold out a share of the images of a folder."""
    if len(paths) <= MIN_TEST:
        raise SlimGANError(f"the number of images in {folder} is {len(paths)}; give at least {MIN_TEST + 1}")
    warn_of_splits(folder, paths)
    classes = class_names(folder, paths)
    entries = label_images(folder, paths, classes)
    depth = len(folder.parts)
    positions = np.array([position("/".join(path.parts[depth:])) for path in paths])
    is_test = choose_test(positions, np.array([entry.label for entry in entries]), test_fraction)
    left = {entries[number].label for number in np.flatnonzero(~is_test)}
    for label, name in enumerate(classes):
        if label not in left:
            raise SlimGANError(
                f"the class {name} of {folder} has too few images to hold some out; add some, or a folder for the test"
            )
    train, test = ([entries[number] for number in np.flatnonzero(chosen)] for chosen in (~is_test, is_test))
    return Splits(classes, train, test, [], True)


def position(name: str) -> float:
    """Return a number in [0, 1] from a file's name alone.

    Args:
        name: Path relative to the folder, with slashes. Its suffix and form of Unicode do not matter.
    """
    text = unicodedata.normalize("NFC", os.path.splitext(name)[0]).encode(errors="surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64


def choose_test(
    positions: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], fraction: float
) -> npt.NDArray[np.bool_]:
    """Return which images are held out: those below the fraction.

    So an image stays in its split, whatever is added or removed beside it. Small numbers are the exception: a class of
    which the fraction is at least one image has one held out, and one to train with, and there are at least
    ``MIN_TEST`` test images; where the rule gives fewer, those of the lowest positions are taken.
    """
    is_test = positions < fraction
    order = np.lexsort((positions, labels))
    for members in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):  # of one class, in ascending positions
        least = int(len(members) * fraction >= 1)
        number = np.clip(is_test[members].sum(), least, len(members) - 1)
        is_test[members] = np.arange(len(members)) < number
    while is_test.sum() < MIN_TEST:
        trained = np.bincount(labels[~is_test] + 1, minlength=labels.max() + 2)
        spare = trained[labels + 1]  # images that the class still trains with
        rank = np.where(is_test, np.inf, positions - 2 * (spare > 1))
        is_test[rank.argmin()] = True
    return is_test


def warn_of_splits(folder: Path, paths: Sequence[Path]) -> None:
    """Warn where folders look like splits but are not taken for them."""
    below = {path.parent.parts[len(folder.parts) :] for path in paths}
    for top in sorted({parts[0] for parts in below if parts}):
        if top.lower() in TRAIN_NAMES + TEST_NAMES:
            use = "mixed with the other images" if () in below else "taken for a class"
            other = folder / ("test" if top.lower() in TRAIN_NAMES else "train")
            rank_zero_warn(f"{folder / top} is {use}; to make it a split, add {other}", category=SlimGANWarning)
    deeper = {part.lower() for parts in below for part in parts[1:]}
    if not deeper.isdisjoint(TRAIN_NAMES) and not deeper.isdisjoint(TEST_NAMES):
        rank_zero_warn(
            f"the splits that lie deeper in {folder} are mixed; name their folder, or put them at the top",
            category=SlimGANWarning,
        )


def class_names(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Return the subfolders' names; an image outside them empties the list."""
    names = {class_of(folder, path) for path in paths}
    return [] if None in names else sorted(name for name in names if name is not None)


def label_images(folder: Path, paths: Sequence[Path], classes: Sequence[str]) -> list[Entry]:
    """Pair images with their classes, or with -1 unless all have one."""
    numbers = {name: number for number, name in enumerate(classes)}
    labels = [numbers.get(class_of(folder, path) or "", -1) for path in paths]
    if -1 in labels:
        labels = [-1] * len(labels)
    return [Entry(path, label) for path, label in zip(paths, labels, strict=True)]


def class_of(folder: Path, path: Path) -> str | None:
    """Return the name of an image's class, or None.

    It is the same on systems that store names in other forms of Unicode.
    """
    name = top_folder(folder, path)
    return None if name is None else unicodedata.normalize("NFC", name)


def top_folder(root: Path, path: Path) -> str | None:
    """Return the top folder that a file lies in, or None."""
    below = path.parts[len(root.parts) :]
    return below[0] if len(below) > 1 else None
