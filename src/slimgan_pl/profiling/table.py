"""A profile as a table for the terminal."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from slimgan_pl.utils.formatting import compact

__all__ = ["describe", "profile_table"]

HEADS = ("batch", "width", "params", "MACs", "weights", "median\nms", "95 %\nms", "images/s", "peak")


def profile_table(profile: dict[str, Any], name: str) -> Table:
    """Return an 80-character table with a row per batch size and width.

    Args:
        profile: Profile as ``slimgan profile`` writes it to JSON.
        name: The checkpoint or the configuration.
    """
    table = Table(
        title=f"{name}\n{describe(profile)}",
        caption=caption(profile),
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for head in HEADS:
        table.add_column(head, justify="right", no_wrap=True)
    for entries in zip(*(row["latency"] for row in profile["widths"]), strict=True):
        for row, entry in zip(profile["widths"], entries, strict=True):
            table.add_row(*cells(row, entry))
        table.add_section()
    return table


def cells(row: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    """Return the cells of a row."""
    return [
        str(entry["batch_size"]),
        f"{row['width']:g}",
        compact(row["parameters"]),
        compact(row["macs"]),
        f"{compact(row['weight_bytes'])}B",
        milliseconds(entry["median_s"]),
        milliseconds(entry["p95_s"]),
        f"{entry['images_per_second']:,.0f}",
        f"{compact(entry['peak_bytes'])}B",
    ]


def milliseconds(seconds: float) -> str:
    """Return a time in three digits.

    >>> milliseconds(0.01234), milliseconds(1.2346)
    ('12.3', '1,235')
    """
    number = 1000 * seconds
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def describe(profile: dict[str, Any]) -> str:
    """Return device, precision and form in words."""
    threads = profile["threads"]
    is_cpu = profile["device"] == "cpu"
    device = f"{profile['processor']}, {threads} thread{'s' * (threads > 1)}" if is_cpu else profile["device"]
    return f"{device}, {profile['precision']}, {profile['form']}"


def caption(profile: dict[str, Any]) -> str:
    """Return the legend of the columns."""
    rounds = sorted({entry["rounds"] for row in profile["widths"] for entry in row["latency"]})
    counts = " to ".join(f"{count:,}" for count in dict.fromkeys((rounds[0], rounds[-1])))
    whole = profile["generator"]
    return (
        f"MACs for one image; time of a batch over {counts} batches, images/s by the median; "
        f"peak: {profile['memory']}. "
        f"All widths in one: {compact(whole['parameters'])} parameters, {compact(whole['weight_bytes'])}B."
    )
