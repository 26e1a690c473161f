"""The width that the page's budget chooses, as Node runs its scripts."""

import json
from itertools import pairwise
from typing import Any

import pytest
from node_fixture import Node

pytest_plugins = ["node_fixture"]


def widths_chosen(node: Node, phases: list[tuple[list[float], float, int]]) -> list[int]:
    """Return the width after each phase: what widths take, the budget, and how many timings there are."""
    return list(
        node(f"""
        import {{ Budget }} from "./budget.js";
        const costs = [1, 4, 9, 16];
        const budget = new Budget(4);
        const chosen = [];
        let before = null;
        for (const [times, limit, count] of {json.dumps(phases)}) {{
            if (before !== null && before !== limit) budget.reset();
            before = limit;
            for (let i = 0; i < count; i += 1) budget.record(times[budget.width], limit, costs);
            chosen.push(budget.width);
        }}
        console.log(JSON.stringify(chosen));
        """)
    )


TIMES = [1.0, 4.0, 9.0, 16.0]


@pytest.mark.parametrize(("limit", "width"), [(0.1, 0), (2.0, 0), (5.0, 1), (12.0, 2), (20.0, 3), (1000.0, 3)])
def test_the_widest_width_that_fits_is_chosen(limit: float, width: int, node: Node) -> None:
    assert widths_chosen(node, [(TIMES, limit, 40)]) == [width]


def test_a_missed_budget_goes_down_at_once_and_room_to_spare_goes_up_again(node: Node) -> None:
    slow = [4 * time for time in TIMES]
    assert widths_chosen(node, [(TIMES, 20.0, 40), (slow, 20.0, 10), (TIMES, 20.0, 200)]) == [3, 1, 3]


def test_the_way_up_is_one_width_at_a_time(node: Node) -> None:
    assert widths_chosen(node, [(TIMES, 2.0, 40), *[(TIMES, 1000.0, 15)] * 3]) == [0, 1, 2, 3]


def test_a_width_that_would_just_fit_is_not_gone_up_to(node: Node) -> None:
    assert widths_chosen(node, [(TIMES, 5.0, 40), (TIMES, 16.5, 200)]) == [1, 2]


def test_slow_frames_here_and_there_change_nothing(node: Node) -> None:
    phases = [(TIMES, 20.0, 40), ([100.0] * 4, 20.0, 3), (TIMES, 20.0, 10), ([100.0] * 4, 20.0, 3)]
    assert widths_chosen(node, phases) == [3, 3, 3, 3]


def shares(node: Node, times: list[float], known: list[float], noise: float) -> dict[str, Any]:
    """Return how often the width changes in 20000 frames with a budget of 16 ms, and the share of each width.

    Args:
        node: What runs it.
        times: Milliseconds of each width.
        known: What they should cost.
        noise: Standard deviation of the logarithm of the times.
    """
    found: dict[str, Any] = node(f"""
        import {{ Budget }} from "./budget.js";
        import {{ FrameTimes }} from "./costs.js";
        import {{ normal }} from "./latents.js";
        const [times, known, noise] = {json.dumps([times, known, noise])};
        const budget = new Budget(4);
        const seen = new FrameTimes(known);
        const counts = [0, 0, 0, 0];
        let changes = 0;
        for (const value of normal(20000, 1)) {{
            const before = budget.width;
            const time = times[before] * Math.exp(noise * value);
            counts[before] += 1;
            seen.add(before, 16, time);
            budget.record(time, 16, seen.costs(16, before));
            if (budget.width < before) seen.doubt(before, 16);
            if (budget.width !== before) changes += 1;
        }}
        console.log(JSON.stringify({{ changes, shares: counts.map((count) => count / 20000) }}));
    """)
    return found


def test_noise_changes_the_width_rarely(node: Node) -> None:
    assert shares(node, [2, 4, 7.5, 15], [2, 4, 7.5, 15], 0.1)["changes"] <= 4
    assert shares(node, [2, 4, 7, 12], [2, 4, 7, 12], 0.1) == {"changes": 0, "shares": [0, 0, 0, 1]}


@pytest.mark.parametrize(("real", "noise"), [(40.0, 0.02), (17.0, 0.1), (16.2, 0.05)])
def test_a_width_that_takes_longer_than_expected_leaves_the_next_one_in_use(
    real: float, noise: float, node: Node
) -> None:
    found = shares(node, [2, 4, 6.5, real], [2, 4, 6.5, 13], noise)
    assert found["shares"][2] > 0.9
    assert found["changes"] < 80


def test_a_width_that_fails_is_tried_ever_more_seldom_up_to_a_point(node: Node) -> None:
    """Width 3 takes longer than its cost lets expect, so that going up to it is always a mistake."""
    visits = node("""
        import { Budget } from "./budget.js";
        const budget = new Budget(4, 2);
        const times = [1, 4, 9, 30];
        const visits = [];
        let before = 2;
        for (let i = 0; i < 6000; i += 1) {
            const width = budget.record(times[budget.width], 20, [1, 4, 9, 16]);
            if (width === 3 && before !== 3) visits.push(i);
            before = width;
        }
        console.log(JSON.stringify(visits));
    """)
    gaps = [later - earlier for earlier, later in pairwise(visits)]
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps[:3]))
    assert max(gaps) < 1000


def test_nothing_is_settled_while_a_wider_width_has_still_to_be_tried(node: Node) -> None:
    """A spell of slow frames; then 100 frames pass until the widest is tried again, and fits."""
    settled = node("""
        import { Budget } from "./budget.js";
        const budget = new Budget(2);
        const settled = [];
        for (let i = 0; i < 200; i += 1) {
            budget.record(i < 10 ? 100 : [5, 10][budget.width], 20, [5, 10]);
            if (budget.isSettled) settled.push([i, budget.width]);
        }
        console.log(JSON.stringify(settled[0]));
    """)
    assert settled[0] > 100
    assert settled[1] == 1


def test_costs_are_what_was_seen_and_go_by_what_is_known_elsewhere(node: Node) -> None:
    found = node("""
        import { FrameTimes } from "./costs.js";
        const times = new FrameTimes([1, 2, 4, 8]);
        const costs = { nothing: times.costs(16, 3) };
        const add = (width, milliseconds, repeats = 3) => {
            for (let i = 0; i < repeats; i += 1) times.add(width, 16, milliseconds);
        };
        add(3, 10);
        costs.widest = times.costs(16, 3);
        costs.fewer = times.costs(1, 3);
        add(1, 5);
        costs.both = times.costs(16, 1);
        add(1, 12, 10);
        costs.slow = times.costs(16, 1);
        times.doubt(1, 16);
        costs.doubted = times.costs(16, 0);
        add(0, 1, 2000);
        costs.later = times.costs(16, 0);
        console.log(JSON.stringify(costs));
    """)
    assert found["nothing"] == [1, 2, 4, 8]
    assert found["widest"] == [1.25, 2.5, 5, 10]
    assert found["fewer"] == [1, 2, 4, 8], "at another number of images nothing has been seen"
    assert found["both"] == [2.5, 5, 10, 10]
    assert found["slow"] == [6, 12, 24, 24], "what is wider costs no less"
    assert found["doubted"] == [1.25, 2.5, 5, 10]
    assert found["later"] == [1, 2, 4, 8], "what was seen long ago does not count"


def test_a_width_that_was_slow_for_a_while_is_gone_up_to_again(node: Node) -> None:
    """The widths' MACs make the wider one look as if it did not fit; its own times, from before, say that it does."""
    assert node("""
        import { Budget } from "./budget.js";
        import { FrameTimes } from "./costs.js";
        const [budget, seen] = [new Budget(2), new FrameTimes([1, 5])];
        const chosen = new Set();
        for (let i = 0; i < 600; i += 1) {
            const before = budget.width;
            const time = [1.33, 4][before] * (i > 200 && i < 260 ? 1.4 : 1);
            seen.add(before, 16, time);
            budget.record(time, 5.5, seen.costs(16, before));
            if (budget.width < before) seen.doubt(before, 16);
            chosen.add(budget.width);
        }
        console.log(JSON.stringify([[...chosen], budget.width]));
    """) == [[1, 0], 1]
