"""The width follows the budget: driven with made-up times."""

import random
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sharing import bounded

from slimgan_runtime import WidthController

MS = {0.25: 0.010, 0.5: 0.020, 0.75: 0.040, 1.0: 0.080}  # seconds of each width when nothing else runs


def drive(
    controller: WidthController, slowness: float, calls: int, size: int = 1, times: Mapping[float, float] = MS
) -> list[float]:
    """Make calls that take what each width takes times a factor, and return their widths."""
    widths = []
    for _ in range(calls):
        width = controller.width_for(size)
        controller.observe(width, size, times[width] * slowness)
        widths.append(width)
    return widths


def changes(widths: list[float]) -> int:
    return sum(before != after for before, after in pairwise(widths))


@pytest.mark.parametrize(("budget", "width"), [(1.0, 1.0), (0.080, 1.0), (0.079, 0.75), (0.010, 0.25), (0.001, 0.25)])
def test_the_start_is_the_widest_that_fits_or_the_narrowest(budget: float, width: float) -> None:
    assert WidthController(MS, budget).width == width


def test_four_misses_go_down_to_the_widest_that_now_fits() -> None:
    controller = WidthController(MS, budget=0.090)
    assert drive(controller, slowness=3.0, calls=6) == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]


def test_one_outlier_does_not_go_down() -> None:
    controller = WidthController(MS, budget=0.090)
    for _ in range(20):
        drive(controller, slowness=50.0, calls=1)
        assert set(drive(controller, slowness=1.0, calls=9)) == {1.0}


def test_outliers_among_small_misses_go_down_by_the_small_ones() -> None:
    controller = WidthController(MS, budget=0.090)
    drive(controller, slowness=1.0, calls=20)
    for slowness in (1.2, 50.0, 1.2, 1.2):
        drive(controller, slowness, calls=1)
    assert controller.width == 0.75


def test_missing_every_other_call_goes_down() -> None:
    controller = WidthController(MS, budget=0.090)
    for _ in range(20):
        drive(controller, slowness=1.5, calls=1)
        drive(controller, slowness=1.0, calls=1)
    assert controller.width == 0.75


def noise(controller: WidthController, share: float, slowness: float, calls: int, seed: int) -> list[float]:
    """Make calls of which by chance a share is slower."""
    chance = random.Random(seed)
    return [
        width
        for _ in range(calls)
        for width in drive(controller, slowness if chance.random() < share else 1.0, calls=1)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("share", "slowness"), [(0.1, 20.0), (0.1, 3.0), (0.2, 3.0)])
def test_outliers_keep_the_widest(share: float, slowness: float, seed: int) -> None:
    widths = noise(WidthController(MS, budget=0.110), share, slowness, calls=5_000, seed=seed)
    assert widths.count(1.0) > 0.9 * len(widths)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("budget", [0.110, 0.090])
@pytest.mark.parametrize(("share", "slowness"), [(0.1, 20.0), (0.2, 3.0), (0.5, 3.0)])
def test_the_widest_is_back_soon_after_noise_ends(share: float, slowness: float, budget: float, seed: int) -> None:
    controller = WidthController(MS, budget)
    noise(controller, share, slowness, calls=3_000, seed=seed)
    drive(controller, slowness=1.0, calls=400)
    assert set(drive(controller, slowness=1.0, calls=400)) == {1.0}


@pytest.mark.parametrize("seconds", [0.120, 0.200, 0.300, 0.500, 5.0])
def test_a_wide_width_that_does_not_fit_leaves_the_next_one_alone(seconds: float) -> None:
    widths = drive(WidthController(MS, budget=0.110), 1.0, calls=2_500, times={**MS, 1.0: seconds})
    assert widths[500:].count(0.75) > 0.98 * 2_000


@pytest.mark.parametrize("load", [0.010, 0.020, 0.030])
def test_a_load_that_adds_the_same_to_each_width_is_learnt(load: float) -> None:
    controller = WidthController(MS, budget=0.075)
    drive(controller, slowness=8.0, calls=50)
    assert controller.width == 0.25
    times = {width: seconds + load for width, seconds in MS.items()}  # 0.75 takes at most 70 ms
    assert drive(controller, 1.0, calls=2_500, times=times)[500:].count(0.75) > 0.98 * 2_000


def test_widths_that_were_measured_wrongly_are_learnt() -> None:
    controller = WidthController({0.25: 0.010, 0.5: 0.011, 0.75: 0.012, 1.0: 0.013}, budget=0.050)
    assert drive(controller, 1.0, calls=2_500, times=MS)[500:].count(0.75) > 0.98 * 2_000


def test_it_comes_back_up_soon_after_the_load_ends_but_not_at_once() -> None:
    controller = WidthController(MS, budget=0.110)
    drive(controller, slowness=8.0, calls=20)
    assert controller.width == 0.25
    after = drive(controller, slowness=1.0, calls=60)
    assert set(after[:10]) == {0.25}
    assert set(after[40:]) == {1.0}


def test_a_width_that_only_just_fits_is_tried_later_than_one_with_room() -> None:
    waits = []
    for budget in (0.110, 0.090):  # 80 ms leave room in the first
        controller = WidthController(MS, budget)
        drive(controller, slowness=1.5, calls=4)
        assert controller.width == 0.75
        waits.append(drive(controller, slowness=1.0, calls=300).index(1.0))
    assert 10 <= waits[0] < 30
    assert 60 <= waits[1] < 120


def test_a_width_that_does_not_fit_is_hardly_tried() -> None:
    controller = WidthController(MS, budget=0.090)
    drive(controller, slowness=1.2, calls=4)
    assert drive(controller, slowness=1.15, calls=5_000).count(0.75) > 0.98 * 5_000  # the widest takes 92 ms


def test_a_try_that_fails_is_repeated_ever_more_seldom_but_not_given_up() -> None:
    real = {**MS, 1.0: 0.120}  # the widest is slower than it seemed
    widths = drive(WidthController(MS, budget=0.110), slowness=1.0, calls=10_000, times=real)
    tries = [call for call in range(1, len(widths)) if widths[call] > widths[call - 1]]
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert 50 < pauses[0] < 200 < pauses[-1] < 400


def test_after_a_try_that_lasted_the_next_comes_soon_again() -> None:
    controller = WidthController(MS, budget=0.110)
    drive(controller, slowness=1.0, calls=2_000, times={**MS, 1.0: 0.200})
    drive(controller, slowness=1.0, calls=2_000)
    assert controller.width == 1.0
    drive(controller, slowness=3.0, calls=20)
    assert controller.width < 1.0
    assert drive(controller, slowness=1.0, calls=40)[-1] == 1.0


def test_times_just_around_the_budget_do_not_make_it_swing() -> None:
    controller = WidthController(MS, budget=0.080)
    widths = [width for call in range(2000) for width in drive(controller, 1.0 + 0.05 * (-1) ** call, calls=1)]
    assert changes(widths) < 0.01 * len(widths)


def test_a_call_that_began_with_a_wider_width_does_not_count_against_the_present_one() -> None:
    controller = WidthController(MS, budget=0.090)
    for _ in range(16):  # threads whose calls began together
        controller.observe(1.0, 1, 3.0 * MS[1.0])
    assert controller.width == 0.5


def test_each_batch_size_has_the_width_that_fits_it() -> None:
    controller = WidthController(MS, budget=0.090)
    assert [controller.width_for(size) for size in (1, 2, 4, 64)] == [1.0, 0.75, 0.5, 0.25]
    sublinear = {width: 3 * seconds for width, seconds in MS.items()}  # a batch of 8 takes thrice, not eight times
    assert drive(controller, slowness=1.0, calls=30, size=8, times=sublinear)[-1] == 0.5
    assert set(drive(controller, slowness=1.0, calls=30)) == {1.0}


def test_a_new_batch_size_starts_from_the_pace_of_the_nearest() -> None:
    controller = WidthController(MS, budget=0.090)
    drive(controller, slowness=2.0, calls=10)
    assert controller.width_for(2) == 0.5  # 2 * 2 * 20 ms


def test_the_batch_that_was_measured_may_be_any() -> None:
    controller = WidthController(MS, budget=0.090, batch_size=16)
    assert controller.width == controller.width_for(16) == 1.0
    assert controller.width_for(32) == 0.75


def test_a_narrow_width_that_was_measured_as_slower_does_not_stop_it_from_going_down() -> None:
    controller = WidthController({0.5: 0.030, 1.0: 0.028}, budget=0.040)
    for _ in range(4):
        controller.observe(1.0, 1, 0.080)
    assert controller.width == 0.5


def test_batch_sizes_that_were_not_used_for_long_are_forgotten() -> None:
    controller = WidthController(MS, budget=0.090)
    drive(controller, slowness=8.0, calls=20, size=2)
    for size in range(1, 2_000):
        controller.width_for(size)
    assert len(controller._followers) <= 16
    assert controller.width_for(1_999) == 0.25


seconds = st.floats(1e-6, 10.0)
lists = st.lists(seconds, min_size=1, max_size=6)


@given(lists, seconds, st.lists(st.tuples(st.integers(1, 300), seconds), max_size=60))
def test_a_width_is_always_one_of_the_list(
    latencies: list[float], budget: float, calls: list[tuple[int, float]]
) -> None:
    widths = {(index + 1) / len(latencies): value for index, value in enumerate(latencies)}
    controller = WidthController(widths, budget)
    for size, taken in calls:
        width = controller.width_for(size)
        assert width in widths
        controller.observe(width, size, taken)
    assert controller.width in widths


@bounded(50)
@given(lists, st.floats(0.2, 5.0), seconds)
def test_constant_times_settle_on_one_width_that_fits(latencies: list[float], slowness: float, budget: float) -> None:
    widths = {(index + 1) / len(latencies): value for index, value in enumerate(sorted(latencies))}
    controller = WidthController(widths, budget)
    drive(controller, slowness, calls=600, times=widths)
    settled = Counter(drive(controller, slowness, calls=300, times=widths))
    width, count = settled.most_common(1)[0]
    assert count > 280  # the others are tries
    fitting = [width for width, value in widths.items() if value * slowness <= budget * (1 - 1e-6)]
    hardly = [width for width, value in widths.items() if value * slowness <= budget * (1 + 1e-6)]
    assert max(fitting, default=min(widths)) <= width <= max(hardly, default=min(widths))
