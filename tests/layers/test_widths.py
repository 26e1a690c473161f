"""Width arithmetic."""

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.layers import check_widths, scale_channels, width_index


@pytest.mark.parametrize(
    "widths", [[], [0.5], [1.0, 0.5], [0.5, 0.5, 1.0], [0.0, 1.0], [0.5, 1.5], [float("nan"), 1.0]]
)
def test_a_list_that_does_not_ascend_to_one_is_refused(widths: list[float]) -> None:
    with pytest.raises(SlimGANError, match="ascend"):
        check_widths(widths)


def test_channels_that_do_not_divide_name_layer_channels_and_width() -> None:
    with pytest.raises(ValueError, match=r"stage 3.*10 channels.*0\.25"):
        scale_channels(10, 0.25, "stage 3")


def test_thirds_scale_exactly() -> None:
    assert [scale_channels(48, width) for width in (1 / 3, 2 / 3, 1.0)] == [16, 32, 48]


def test_an_unknown_width_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"0\.3 .*0\.25, 1"):
        width_index((0.25, 1.0), 0.3)
