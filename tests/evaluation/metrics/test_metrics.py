"""Metrics equal closed forms, and torchmetrics' own."""

import pytest
import torch
from torch import Tensor, nn
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from slimgan_pl.evaluation import (
    ClassAgreement,
    FeatureStatistics,
    Gaussian,
    InceptionConsistency,
    SplitScore,
    frechet_distance,
    kernel_distance,
)


class PassThrough(nn.Module):
    """Hands features to torchmetrics as they are."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def gaussian(mean: list[float], variance: list[float]) -> Gaussian:
    return Gaussian(9, torch.tensor(mean, dtype=torch.float64), torch.diag(torch.tensor(variance, dtype=torch.float64)))


def test_frechet_distance_of_axis_aligned_gaussians_is_the_closed_form() -> None:
    first, second = gaussian([0.0, 1.0], [1.0, 4.0]), gaussian([3.0, 1.0], [9.0, 0.25])
    assert frechet_distance(first, second) == pytest.approx(9 + (1 - 3) ** 2 + (2 - 0.5) ** 2, rel=1e-12)


def test_frechet_distance_of_commuting_gaussians_is_the_closed_form() -> None:
    """With shared axes in any direction the roots of the variances are subtracted."""
    axes = torch.linalg.qr(torch.randn(40, 40, dtype=torch.float64)).Q
    first, second = torch.rand(40, dtype=torch.float64) * 5, torch.rand(40, dtype=torch.float64) * 3
    mean = torch.randn(40, dtype=torch.float64)
    one = Gaussian(9, torch.zeros_like(mean), axes * first @ axes.T)
    other = Gaussian(9, mean, axes * second @ axes.T)
    expected = mean.square().sum() + (first.sqrt() - second.sqrt()).square().sum()
    assert frechet_distance(one, other) == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1.0, 1e12])
def test_frechet_distance_is_never_negative_and_never_nan(scale: float) -> None:
    features = torch.randn(30, 20) * scale
    statistics = FeatureStatistics(20)
    statistics.update(features)
    near = FeatureStatistics(20)
    near.update(features * (1 + 1e-7))
    distance = frechet_distance(statistics.compute(), near.compute())
    assert 0 <= distance <= 1e-6 * scale**2


def test_frechet_distance_to_itself_is_zero_even_where_the_covariance_is_singular() -> None:
    statistics = FeatureStatistics(50)
    statistics.update(torch.randn(10, 50))
    same = statistics.compute()
    assert 0 <= frechet_distance(same, same) < 1e-4  # square roots of 1e-16 times 40 null directions


def test_frechet_distance_equals_torchmetrics() -> None:
    real, fake = torch.randn(200, 16), torch.randn(150, 16) @ torch.randn(16, 16) + 0.5
    reference = FrechetInceptionDistance(feature=PassThrough(16))
    reference.update(real, real=True)
    reference.update(fake, real=False)
    ours = []
    for features in (real, fake):
        statistics = FeatureStatistics(16)
        for batch in features.split(64):
            statistics.update(batch)
        ours.append(statistics.compute())
    assert frechet_distance(ours[0], ours[1]) == pytest.approx(reference.compute().item(), rel=1e-5)


def test_the_score_equals_torchmetrics() -> None:
    logits = torch.randn(120, 10) * 3
    reference = InceptionScore(feature=PassThrough(10), splits=1)
    reference.update(logits)
    score = SplitScore(10, 120, splits=1)
    for numbers in torch.arange(120).split(50):
        score.update(logits[numbers], numbers)
    assert score.compute()[0].item() == pytest.approx(reference.compute()[0].item(), rel=1e-5)


def test_the_score_of_sure_and_even_predictions_is_the_number_of_classes() -> None:
    score = SplitScore(10, 20, splits=1)
    score.update(torch.eye(10).repeat_interleave(2, 0) * 100, torch.arange(20))
    assert score.compute()[0].item() == pytest.approx(10)


@pytest.mark.parametrize(("count", "splits"), [(103, 10), (40, 7), (12, 12)])
def test_the_splits_of_the_score_are_torch_fidelitys(count: int, splits: int) -> None:
    logits = torch.randn(count, 10) * 3
    score = SplitScore(10, count, splits)
    for numbers in torch.arange(count).split(9):
        score.update(logits[numbers], numbers)
    expected = isc_features_to_metric(logits, splits)
    mean, deviation = score.compute()
    assert mean.item() == pytest.approx(expected[KEY_METRIC_ISC_MEAN], rel=1e-9)
    assert deviation.item() == pytest.approx(expected[KEY_METRIC_ISC_STD], rel=1e-9)


def test_the_kernel_distance_equals_torchmetrics_where_there_is_one_subset() -> None:
    fake, real = torch.randn(60, 16) + 0.3, torch.randn(60, 16)
    reference = KernelInceptionDistance(feature=PassThrough(16), subsets=1, subset_size=60)
    reference.update(real, real=True)
    reference.update(fake, real=False)
    distance = kernel_distance(fake, real)
    assert distance.mean == pytest.approx(reference.compute()[0].item(), rel=1e-4)
    assert distance.deviation == pytest.approx(0, abs=1e-6)  # each of the subsets holds all


@pytest.mark.slow
def test_the_kernel_distance_of_two_halves_of_a_set_is_near_zero() -> None:
    features = torch.randn(4000, 8)
    distance = kernel_distance(features[:2000], features[2000:])
    assert abs(distance.mean) < 0.02
    assert kernel_distance(features[:2000], features[2000:] + 1).mean > 1


def test_the_score_does_not_depend_on_the_order_of_batches() -> None:
    logits, numbers = torch.randn(40, 5), torch.arange(40)
    first, second = SplitScore(5, 40, 4), SplitScore(5, 40, 4)
    first.update(logits, numbers)
    order = torch.randperm(40)
    for part in order.split(7):
        second.update(logits[part], numbers[part])
    torch.testing.assert_close(first.compute(), second.compute())


def test_consistency_is_the_mean_over_ordered_pairs_of_widths() -> None:
    features = torch.randn(3, 20, 6, dtype=torch.float64)
    metric = InceptionConsistency(3)
    for part in features.split(8, dim=1):
        metric.update(part)
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = sum(((features[i] - features[j]) ** 2).sum(1).mean() for i, j in pairs) / len(pairs)
    mean, matrix = metric.compute()
    torch.testing.assert_close(mean, expected)
    assert torch.equal(matrix, matrix.T)
    assert matrix.diagonal().abs().max() == 0


def test_a_single_width_is_consistent_with_itself() -> None:
    metric = InceptionConsistency(1)
    metric.update(torch.randn(1, 4, 3))
    assert metric.compute()[0] == 0


def test_agreement_is_the_share_of_equal_pairs_of_classes() -> None:
    classes = torch.tensor([[0, 1, 2, 3], [0, 1, 2, 0], [0, 2, 2, 1]])  # pairs: 3/4, 2/4, 2/4
    metric = ClassAgreement()
    for part in nn.functional.one_hot(classes, 4).float().split(3, dim=1):
        metric.update(part)
    assert metric.compute().item() == pytest.approx((3 + 2 + 2) / 12)
