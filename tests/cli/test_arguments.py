"""Command lines: what is read before they are parsed, and how short mistakes are."""

from pathlib import Path

import pytest

from slimgan_pl.cli.arguments import read_command_line
from slimgan_pl.cli.lightning_parser import shorten


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["fit"], None),
        (["fit", "--ckpt_path"], None),
        (["fit", "--ckpt_path", "a"], "a"),
        (["fit", "--ckpt_path=a", "--ckpt_path", "b"], "b"),
        (["fit", "--config", "named.yaml"], "c"),
        (["fit", "--config=named.yaml", "--ckpt_path", "a"], "a"),
        (["fit", "--ckpt_path", "a", "-c", "named.yaml"], "c"),
        (["fit", "--ckpt_path", "a", "--config", "null.yaml"], "a"),
        (["fit", "--config", "nowhere.yaml"], None),
        (["fit", "--config", "named.yaml", "--ckpt_path", "null"], None),
        (["fit", "--ckpt_path=null", "--config", "named.yaml"], None),
        (["fit", "--ckpt_path", "null", "--ckpt_path", "a"], "a"),
    ],
)
def test_the_last_checkpoint_that_is_named_counts(
    argv: list[str], found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    contents = {"named": "ckpt_path: c", "null": "ckpt_path: null"}
    for name, content in contents.items():
        Path(f"{name}.yaml").write_text(content)
    assert read_command_line(argv[1:]).ckpt_path == found


@pytest.mark.parametrize("content", ["[1]", "a: [", "ckpt_path: 3"])
def test_a_configuration_that_cannot_be_read_ends_the_command(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(SystemExit) as exit_info:
        read_command_line(["--config", str(tmp_path / "bad.yaml")])
    assert exit_info.value.code == 2
    assert "bad.yaml" in capsys.readouterr().err


def test_a_message_that_stays_long_keeps_its_key_and_its_end() -> None:
    message = shorten(f'Parser key "model.x": Expected {"y" * 500}. Got value: z')
    assert len(message) <= 300
    assert message.startswith('Parser key "model.x"')
    assert message.endswith("Got value: z")
