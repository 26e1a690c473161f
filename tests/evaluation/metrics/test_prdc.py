"""Precision, recall, density and coverage equal plain loops, torch-fidelity, and closed forms."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from slimgan_pl.evaluation import compare_manifolds, make_manifold
from slimgan_pl.evaluation.metrics import prdc as neighbours


def evaluate(fake: Tensor, real: Tensor) -> neighbours.Neighbours:
    return compare_manifolds(make_manifold(fake), make_manifold(real))


def sets() -> tuple[Tensor, Tensor]:
    return torch.randn(150, 6) * 0.8 + 0.3, torch.randn(200, 6)


def test_precision_and_recall_equal_torch_fidelity() -> None:
    fake, real = sets()
    expected: dict[str, Any] = prc_features_to_metric(fake, real, verbose=False)
    ours = evaluate(fake, real)
    assert ours.precision == pytest.approx(expected[KEY_METRIC_PRECISION], rel=1e-6)
    assert ours.recall == pytest.approx(expected[KEY_METRIC_RECALL], rel=1e-6)


def test_density_and_coverage_equal_plain_loops() -> None:
    fake, real = sets()
    radii = [sorted(float((one - other).norm()) for other in real)[5] for one in real]  # the first is the image itself
    inside = [[float((one - other).norm()) < radius for other in fake] for one, radius in zip(real, radii, strict=True)]
    ours = evaluate(fake, real)
    assert ours.density == pytest.approx(sum(map(sum, inside)) / (5 * len(fake)), rel=1e-6)
    assert ours.coverage == pytest.approx(sum(map(any, inside)) / len(real), rel=1e-6)


def test_blocks_do_not_change_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, real = sets()
    whole = evaluate(fake, real)
    monkeypatch.setattr(neighbours, "BLOCK", 1700)
    assert evaluate(fake, real) == whole


def test_a_common_mean_does_not_change_the_metrics() -> None:
    fake, real = sets()
    assert evaluate(fake + 1000, real + 1000) == pytest.approx(evaluate(fake, real), abs=0.02)


def test_a_coarse_matmul_precision_does_not_change_the_metrics() -> None:
    fake, real = torch.randn(400, 64) * 0.9, torch.randn(500, 64)
    exact = evaluate(fake, real)
    torch.set_float32_matmul_precision("medium")
    try:
        assert evaluate(fake, real) == exact
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_set_covers_itself() -> None:
    same = torch.randn(50, 4)
    ours = evaluate(same, same)
    assert (ours.precision, ours.recall, ours.coverage) == (1, 1, 1)


def test_sets_far_apart_share_nothing() -> None:
    assert evaluate(torch.randn(30, 4) + 100, torch.randn(30, 4)) == (0, 0, 0, 0)


def test_fakes_of_one_mode_are_precise_but_do_not_recall_the_other() -> None:
    modes = torch.cat([torch.randn(60, 3), torch.randn(60, 3) + 50])
    ours = evaluate(torch.randn(100, 3) * 0.3, modes)
    assert ours.precision > 0.9
    assert ours.recall < 0.5
    assert ours.coverage <= 0.5


def test_two_images_have_one_neighbour() -> None:
    ours = evaluate(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.5], [2.0]]))
    assert ours.precision == 1  # both lie within 1.5 of 0.5
    assert ours.density == pytest.approx(3 / 2)  # 0.5 counts both, 2.0 counts one, of one neighbour each


def test_features_in_half_precision_are_compared_in_single() -> None:
    fake, real = sets()
    assert evaluate(fake.half(), real.half()) == evaluate(fake.half().float(), real.half().float())
