"""Curves of a run are what its table of figures says."""

from pathlib import Path

import pytest

from slimgan_pl.curves import by_quantity, read_curves, thin


def test_empty_cells_and_what_is_not_finite_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("a/0.5,b,step\n1.5,,10\nnan,inf,20\n,3,30\n")
    assert read_curves(path) == {"a/0.5": [(10, 1.5)], "b": [(30, 3.0)]}


def test_curves_of_widths_come_by_quantity_and_from_narrow_to_wide() -> None:
    curves = {"loss/1": [(1, 1.0)], "loss/0.25": [(1, 2.0)], "pace/epochs": [(1, 3.0)], "loss": [(1, 4.0)]}
    assert by_quantity(curves) == {"loss": {0.25: [(1, 2.0)], 1.0: [(1, 1.0)]}}
    assert list(by_quantity(curves)["loss"]) == [0.25, 1.0]


@pytest.mark.parametrize("length", [1, 5, 6, 7, 100])
def test_a_thinned_curve_holds_the_means_of_equal_parts_and_ends_where_it_ended(length: int) -> None:
    curve = [(10 * number, float(number)) for number in range(length)]
    thinned = thin(curve, 6)
    assert len(thinned) <= 6
    assert thinned[-1][0] == curve[-1][0]
    size = -(-length // 6)
    assert thinned[0][1] == sum(range(size)) / size


def test_what_is_no_table_of_figures_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="has no iteration"):
        read_curves(path)
