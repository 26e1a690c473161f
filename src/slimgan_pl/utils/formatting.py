"""Numbers, durations, sizes and tables as text."""

import re
from collections.abc import Iterable, Sequence

__all__ = ["EXPONENT", "compact", "duration", "macs_text", "markdown_table", "milliseconds", "spell_out"]

EXPONENT = re.compile(r"[-+]?\d+(?:\.\d*)?[eE]\+?\d+")

MAX_EXACT = 2**53  # beyond which a float skips integers


def spell_out(text: str) -> str:
    """Spell out a whole number with an exponent; leave other text.

    >>> spell_out("1e5"), spell_out("1.5e0"), spell_out("digits")
    ('100000', '1.5e0', 'digits')
    """
    if not EXPONENT.fullmatch(text.strip()):
        return text
    number = float(text)
    return str(int(number)) if abs(number) <= MAX_EXACT and number.is_integer() else text


def compact(number: int | None) -> str:
    """Return a number in four characters and a unit.

    >>> compact(297537), compact(1681130000)
    ('298 k', '1.68 G')
    """
    if number is None:
        return ""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            digits = number / size
            return f"{digits:.0f} {unit}" if digits >= 100 else f"{digits:.3g} {unit}"
    return str(number)


def duration(seconds: float | None) -> str:
    """Return a time in seconds or hours."""
    if seconds is None:
        return "?"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.2f} h"


def macs_text(macs: float | None) -> str:
    """Return a number of multiply-accumulates."""
    return "?" if macs is None else f"{macs:.3g}"


def milliseconds(seconds: float | None) -> str:
    """Return a time with its unit.

    >>> milliseconds(0.00123456)
    '1.23 ms'
    """
    return "" if seconds is None else f"{1000 * seconds:.3g} ms"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], mark: str = "---") -> str:
    r"""Return a table in Markdown.

    A bar in a text is escaped. ``mark`` aligns all columns but the first.

    >>> markdown_table(["name", "size"], [["a|b", "1"]], "---:")
    '| name | size |\n| --- | ---: |\n| a\\|b | 1 |'
    """
    lines = [head, ["---", *[mark] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(text.replace('|', chr(92) + '|') for text in line)} |" for line in lines)
