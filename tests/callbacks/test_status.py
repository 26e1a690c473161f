"""What is said of training is what the iteration computed, in 80 columns."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, run
from lightning.pytorch import Callback, LightningModule, Trainer
from one_batch import OneBatch
from rich.console import Console
from sharing import mostly_slow

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import TrainingCost
from slimgan_pl.callbacks.progress import throughput_line, width_lines, width_table
from slimgan_pl.runs.next_steps import next_commands

HELPERS = Path(__file__).parents[1] / "helpers"


class Listening(Callback):
    """Keeps what is said after each iteration."""

    def __init__(self) -> None:
        self.rates: list[str] = []
        self.lines: list[list[str]] = []
        self.tables: list[str] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.rates.append(throughput_line(pl_module))
        self.lines.append(width_lines(pl_module))
        console = Console(width=80)
        with console.capture() as capture:
            console.print(width_table(pl_module))
        self.tables.append(capture.get())


@pytest.fixture
def said(make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]) -> tuple[Listening, SlimGAN]:
    listening, model = Listening(), make_model()
    trainer = make_trainer(max_steps=3, callbacks=[TrainingCost(), listening])
    trainer.fit(model, OneBatch(torch.rand(4, 1, 8, 8)))
    return listening, model


def test_there_is_a_line_per_width_with_its_own_metrics_in_80_columns(said: tuple[Listening, SlimGAN]) -> None:
    listening, model = said
    metrics = model.reports[-1].metrics
    assert len(listening.lines[-1]) == 3
    for number, (width, line) in enumerate(zip(("0.25", "0.5", "1"), listening.lines[-1], strict=True)):
        words = line.split()
        assert words[:2] == ["width", width]
        assert float(words[words.index("D") + 1]) == pytest.approx(
            float(metrics["discriminator_loss"][number]), abs=6e-4
        )
        assert float(words[words.index("fake") + 1]) == pytest.approx(float(metrics["fake_logits"][number]), abs=6e-4)
        assert len(line) <= 80
    assert "distill       -" in listening.lines[-1][-1], "the widest has no teacher"


def test_the_table_of_a_terminal_says_the_same(said: tuple[Listening, SlimGAN]) -> None:
    listening, _ = said
    rows = [line.split() for line in listening.tables[-1].splitlines()[1:]]
    lines = [
        [word for word in line.split() if word.replace(".", "").lstrip("-").isdigit() or word == "-"]
        for line in listening.lines[-1]
    ]
    assert rows == lines


def test_the_throughput_is_shown_once_it_is_known(said: tuple[Listening, SlimGAN]) -> None:
    listening, _ = said
    assert listening.rates[0] == "1.0 epochs"
    rate, images, epochs, left = listening.rates[-1].split(", ")
    assert rate.endswith(" iterations/s")
    assert int(images.removesuffix(" images/s").replace(",", "")) == pytest.approx(
        4 * float(rate.split()[0]), rel=0.02, abs=1
    )
    assert epochs == "3.0 epochs"
    assert left == "0:00:00 left"


@mostly_slow(
    ("has_checkpoint", "has_evaluator", "expected"),
    [
        (True, True, ["sample", "test", "profile", "export", "report"]),
        (True, False, ["sample", "profile", "export", "report"]),
        (False, True, ["report"]),
    ],
    keep=lambda given: given[2] == ["report"],
)
def test_what_is_to_be_typed_next_works(
    has_checkpoint: bool,
    has_evaluator: bool,
    expected: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    root = "the runs"
    run("fit", "--config", "tiny.yaml", "--trainer.default_root_dir", root)
    folder = Path(root).resolve() / "version_0"
    checkpoint = folder / "checkpoints" / "last.ckpt" if has_checkpoint else None
    said = next_commands(checkpoint, folder, has_evaluator).splitlines()
    commands = [shlex.split(line) for line in said if line.startswith("  slimgan ")]
    assert [words[1] for words in commands] == expected
    for words in commands if has_evaluator else []:  # the others are among these
        run(*words[1:], *(["--seconds", "0", "--rounds", "1", "--batch_sizes", "1"] if words[1] == "profile" else []))


@pytest.mark.slow
@pytest.mark.parametrize(
    "extractor",
    ["slimgan_pl.evaluation.DigitsClassifier", "{class_path: standins.Corner, init_args: {size: 2}}"],
    ids=["packaged", "third-party"],
)
def test_the_printed_commands_run_as_they_are_printed(extractor: str, tmp_path: Path) -> None:
    """In a shell that does not find the command, with a net that a third-party class evaluates."""
    Path(tmp_path / "tiny.yaml").write_text(TINY.replace("slimgan_pl.evaluation.DigitsClassifier", extractor))
    script = tmp_path / "an env" / "slimgan"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom slimgan_pl.cli.main import main\nmain()\n")
    script.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HELPERS), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}

    def shell(line: str) -> str:
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    said = shell("'an env/slimgan' fit --config tiny.yaml --trainer.default_root_dir 'the runs'")
    commands = [line.strip() for line in said.partition("Next:\n")[2].splitlines() if line.startswith("  'an env")]
    assert [shlex.split(command)[1] for command in commands] == ["sample", "test", "profile", "export", "report"]
    for command in commands:
        shell(command)
