"""Differences between the settings of two runs."""

from typing import Any

import pytest

from slimgan_pl.runs.settings import compare_settings
from slimgan_pl.training.augmentation import NO_AUGMENTATION, Augmentation
from slimgan_pl.utils.recipes import plain

BANK = "slimgan_pl.models.DCGANDiscriminatorBank"


def bank(**arguments: Any) -> dict[str, Any]:
    return {"model": {"discriminators": {"class_path": BANK, "init_args": {"channels": [4, 8], **arguments}}}}


def model(**settings: Any) -> dict[str, Any]:
    return {"model": {"distill_weight": 7, **settings}}


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (model(), model(centering=0.0), []),
        (model(), model(centering=0.5), ["model.centering: 0.0 -> 0.5"]),
        (model(), model(augmentation=plain(NO_AUGMENTATION)), []),
        (
            model(),
            model(augmentation=plain(Augmentation(("flip",)))),
            ["model.augmentation.transforms: [] -> ['flip']"],
        ),
        (model(penalty={"gamma": 0.1}), model(penalty={"gamma": 0.1, "share": 0.25}), []),
        (
            model(penalty={"gamma": 0.1}),
            model(penalty={"gamma": 0.1, "share": 1.0}),
            ["model.penalty.share: 0.25 -> 1.0"],
        ),
        (model(), model(schedules={"lr": None}), []),
        (model(), model(labels="data"), ["model.labels: uniform -> data"]),
        (bank(), bank(spectral_norm=True), []),
        (bank(), bank(spectral_norm=False), ["model.discriminators.init_args.spectral_norm: True -> False"]),
        ({"samples": {}}, {"samples": {"num_latents": 10, "seed": 1}}, ["samples.seed: 0 -> 1"]),
        ({"checkpoint": {}}, {"checkpoint": {"every_n_iterations": 1000, "monitor": None}}, []),
        (
            {"data": {"class_path": "slimgan_pl.data.digits.DigitsDataModule", "init_args": {}}},
            {
                "data": {
                    "class_path": "slimgan_pl.data.DigitsDataModule",
                    "init_args": {"flip": False},
                }
            },
            [],
        ),
    ],
)
def test_a_setting_that_one_version_does_not_have_counts_as_its_default(
    old: dict[str, Any], new: dict[str, Any], changes: list[str]
) -> None:
    assert compare_settings(old, new) == changes
    swapped = [f"{name}: {now} -> {before}" for name, before, now in map(parts, changes)]
    assert compare_settings(new, old) == swapped, "as a page that begins with the newer run"


def parts(change: str) -> tuple[str, str, str]:
    name, _, values = change.partition(": ")
    before, _, now = values.partition(" -> ")
    return name, before, now


def test_a_third_party_class_is_not_imported() -> None:
    old, new = ({"data": {"class_path": "antigravity.Data", "init_args": each}} for each in ({}, {"size": 1}))
    assert compare_settings(old, new) == ["data.init_args.size: not set -> 1"]
    gone = {"class_path": "slimgan_pl.nowhere.Data"}
    assert compare_settings({"data": {**gone, "init_args": {}}}, {"data": {**gone, "init_args": {"size": 1}}})
