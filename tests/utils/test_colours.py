"""Colours that can be seen."""

import re
from importlib.resources import files

import pytest

from slimgan_pl.utils.colours import INK, RUNS, SCHEMES, Scheme, width_colours


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as the accessibility guidelines define it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def page_colour(name: str, scheme: Scheme) -> str:
    """Return a colour of the style sheet, which names the light ones first."""
    found = re.findall(rf"--{name}: (#[0-9a-f]{{6}});", files("slimgan_pl.report").joinpath("style.css").read_text())
    return str(found[SCHEMES.index(scheme)])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_lines_stand_out_from_their_card(scheme: Scheme, count: int) -> None:
    card = page_colour("card", scheme)
    for colour in [*width_colours(count, scheme), *RUNS[scheme]]:
        assert contrast(colour, card) >= 3, colour


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_can_be_read(scheme: Scheme) -> None:
    for words in (page_colour("text", scheme), page_colour("soft", scheme), page_colour("accent", scheme)):
        assert contrast(words, page_colour("card", scheme)) >= 4.5
        assert contrast(words, page_colour("page", scheme)) >= 4.5
    ink = INK[scheme]
    assert contrast(page_colour("text", scheme), page_colour("note", scheme)) >= 4.5
    for cell in ink["heat"]:
        assert contrast(str(ink["text"]), cell) >= 4.5
    assert contrast(str(ink["soft"]), page_colour("card", scheme)) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_of_widths_shows_without_hues(scheme: Scheme) -> None:
    values = [luminance(colour) for colour in width_colours(4, scheme)]
    assert values == sorted(values, reverse=True)
    assert len(set(width_colours(7, scheme))) == 7
