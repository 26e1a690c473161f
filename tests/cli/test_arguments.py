"""Command lines: what is read before they are parsed, and how short mistakes are."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import run

from slimgan_pl.cli.arguments import read_command_line
from slimgan_pl.cli.parser_messages import plain_message
from slimgan_pl.utils.yaml_files import load_yaml


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
    message = plain_message(f'Parser key "model.x": {"y" * 500} at z')
    assert len(message) <= 300
    assert message.startswith("--model.x: y")
    assert message.endswith("y at z")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e5", 100_000), ("1.5e3", 1500), ("+2E2", 200), ("1.5e0", 1.5), ("1e0", 1), ("1e-3", 0.001), ("'1e5'", "1e5")],
)
def test_a_whole_number_with_an_exponent_is_an_integer(text: str, value: Any) -> None:
    found = load_yaml(f"é: [{text}, {text}]  # {text}")["é"]
    assert found == [value, value]
    assert {type(each) for each in found} == {type(value)}


def test_exponents_are_integers_on_the_command_line_and_in_files(config: Path) -> None:
    config.write_text(config.read_text().replace("max_steps: 3", "max_steps: 2e0"))
    run("fit", "--config", config, "--model.evaluator", "null", "--trainer.val_check_interval", "1e3")
    settings = yaml.safe_load(Path("runs/version_0/config.yaml").read_text())
    assert (settings["trainer"]["max_steps"], settings["trainer"]["val_check_interval"]) == (2, 1000)


def test_the_help_of_fit_starts_with_what_is_typed_most_and_hides_what_cannot_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        run("fit", "--help")
    text = capsys.readouterr().out
    order = (
        "--config",
        "--ckpt_path",
        "--wandb_run.",
        "--samples.",
        "--checkpoint.",
        "--data ",
        "--model.",
        "--trainer.",
    )
    places = [text.index(f"\n  {'-c CONFIG, ' if option == '--config' else ''}{option}") for option in order]
    assert places == sorted(places)
    assert "--model.generator.help ResNetGenerator" in " ".join(text.split())
    assert not any(option in text for option in ("gradient_clip_val", "accumulate_grad_batches"))


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--model.generator.help", "slimgan_pl.models.ResNetGenerator"], "conditional_norm"),
        (["--data.help", "DigitsDataModule"], "--data.batch_size"),
    ],
)
def test_help_of_a_class_needs_no_configuration(
    option: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        run("fit", *option)
    assert exit_info.value.code == 0
    assert words in capsys.readouterr().out
