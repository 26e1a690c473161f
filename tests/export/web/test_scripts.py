"""The page's scripts that need no page, as Node runs them."""

import pytest
from node_fixture import Node

pytest_plugins = ["node_fixture"]


def test_latents_are_standard_normal_and_those_of_the_seed(node: Node) -> None:
    facts = node("""
        import { normal } from "./latents.js";
        const values = [...Array(200).keys()].map((image) => [...normal(100, 7, image, 0)]);
        const all = values.flat();
        const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
        console.log(JSON.stringify({
            mean: mean(all), square: mean(all.map((x) => x * x)), fourth: mean(all.map((x) => x ** 4)),
            neighbours: mean(values.slice(1).map((row, i) => mean(row.map((x, j) => x * values[i][j])))),
            again: String([...normal(5, 7, 0, 0)]) === String(values[0].slice(0, 5)),
            other: [...normal(5, 8, 0, 0)][0] !== values[0][0],
        }));
    """)
    assert facts["mean"] == pytest.approx(0, abs=0.03)
    assert facts["square"] == pytest.approx(1, abs=0.05)
    assert facts["fourth"] == pytest.approx(3, abs=0.3)
    assert facts["neighbours"] == pytest.approx(0, abs=0.03)
    assert facts["again"]
    assert facts["other"]


def test_a_walk_keeps_its_length_and_closes(node: Node) -> None:
    facts = node("""
        import { Walk, slerp } from "./latents.js";
        const walk = new Walk(3, 64);
        const norm = (values) => Math.hypot(...values);
        const [a, b] = [walk.at(0, 1), walk.at(1, 1)];
        const middle = slerp(a, b, 0.5);
        const steps = [0.1, 0.2, 0.3, 5.9].map((place) => norm(walk.at(place, 1)));
        console.log(JSON.stringify({
            ends: [norm(a), norm(b)], middle: norm(middle), steps,
            angles: [a, b].map((end) => end.reduce((sum, x, i) => sum + x * middle[i], 0) / norm(end)),
            closes: String(walk.at(6, 2)) === String(walk.at(0, 2)),
            differ: String(walk.at(0, 2).slice(64)) !== String(walk.at(0, 1)),
            same: slerp(a, a, 0.3).every((x, i) => Math.abs(x - a[i]) < 1e-6),
        }));
    """)
    assert facts["middle"] == pytest.approx(sum(facts["ends"]) / 2, rel=1e-5)
    assert facts["angles"][0] == pytest.approx(facts["angles"][1], rel=1e-4)
    assert all(length > 6 for length in facts["steps"])
    assert facts["closes"]
    assert facts["differ"]
    assert facts["same"]


def test_quantiles_lie_between_neighbours(node: Node) -> None:
    assert node("""
        import { Recent, quantile } from "./stats.js";
        const recent = new Recent(3);
        for (const value of [9, 1, 2, 4]) recent.add(value);
        console.log(JSON.stringify([quantile([4, 1, 2, 3], 0.5), quantile([0, 10], 0.95), recent.median]));
    """) == [2.5, 9.5, 2]
