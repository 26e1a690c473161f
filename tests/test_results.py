"""The table of widths."""

from typing import Any

import pytest
from rich.console import Console

from slimgan_pl.callbacks import results_table


def shown(capsys: pytest.CaptureFixture[str], **more: Any) -> str:
    row = {"width": 0.5, "parameters": 1234, "macs": 5_000_000, "fid_mine": 12.345, **more}
    results = {"extractor": "mine", "iteration": 7, "num_fake": 3, "num_real": 4, "splits": 2, "widths": [row]}
    Console(width=120).print(results_table({**results, "real": more}))
    return capsys.readouterr().out


def test_a_figure_is_named_for_its_extractor(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, is_mine=3.0, is_std_mine=0.25)
    assert "FID (mine)" in text
    assert "12.35" in text
    assert "3.000 ± 0.250" in text
    assert "│  real │" in text


def test_without_a_score_there_is_no_empty_column(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert "IS" not in text
    assert "│  real" not in text
