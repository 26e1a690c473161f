"""Signs of failing training equal their closed forms."""

import pytest
import torch

from slimgan_pl.training.fault_signs import (
    FAULTS,
    Signs,
    measure_disagreement,
    measure_mismatch,
    measure_separation,
    measure_variety,
)

REAL = torch.randn(12, 2, 4, 4, generator=torch.Generator().manual_seed(0))


def test_variety_is_the_distance_to_the_nearest_other_image_and_0_for_copies_of_a_few() -> None:
    apart = 3.0 * torch.eye(16).view(16, 1, 4, 4)
    few = apart[:4].repeat(4, 1, 1, 1)
    torch.testing.assert_close(measure_variety(torch.stack([apart, few])), torch.tensor([3.0 * 2**0.5, 0.0]))


def test_disagreement_is_the_distance_of_widths_over_the_variance_of_the_data() -> None:
    shift, pixels = 0.5, REAL[0].numel()
    expected = shift**2 * pixels / REAL.var(0).sum()
    torch.testing.assert_close(measure_disagreement(torch.stack([REAL, REAL, REAL + shift]), REAL), expected)
    assert measure_disagreement(REAL[None], REAL).isnan()


def test_mismatch_is_0_for_the_data_and_1_for_their_mean_image() -> None:
    mean = REAL.mean(0).expand_as(REAL)
    torch.testing.assert_close(measure_mismatch(torch.stack([REAL, mean]), REAL), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize(("factor", "drift"), [(1.0, 0.0), (0.01, 7.0), (50.0, -900.0)])
def test_separation_is_in_deviations_however_logits_drift_and_grow(factor: float, drift: float) -> None:
    noise = torch.randn(2, 3, 20_000, generator=torch.Generator().manual_seed(0))
    real, fake = (noise[0] + 3) * factor + drift, noise[1] * factor + drift
    torch.testing.assert_close(measure_separation(real, fake), torch.full((3,), 3.0), atol=0.05, rtol=0)


def test_unknown_signs_are_no_fault() -> None:
    unknown = Signs(*[float("nan")] * len(Signs._fields))
    assert not any(is_found(unknown) for is_found in FAULTS.values())
