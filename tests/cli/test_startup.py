"""Quick commands load only the modules that they need, and each tool keeps its options."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run

from slimgan_pl.cli.commands import COMMANDS
from slimgan_pl.cli.configured_model import OTHER_SETTINGS
from slimgan_pl.cli.lightning_cli import SlimGANCLI

HEAVY = {"torch", "torchvision", "lightning", "torchmetrics", "torch_fidelity", "jsonargparse", "wandb", "tensorboard"}
HEAVY |= {"altair", "onnxruntime", "sklearn"}

SEES_MODULES = """
import sys
from slimgan_pl.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code or end.code == 2
print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules}))
"""

TOOLS = [name for name, command in COMMANDS.items() if not command.uses_lightning]

OPTIONS = {
    "sample": "ckpt_path width num_images output label seed trust_checkpoint weights truncation",
    "walk": "ckpt_path width output latents frames fps label seed trust_checkpoint weights truncation",
    "recalibrate": "ckpt_path output num_batches batch_size seed trust_checkpoint",
    "import": "generator output discriminator num_shared",
    "compare": "runs metric format output",
    "profile": "ckpt_path config batch_sizes rounds seconds threads device folded output trust_checkpoint weights",
    "report": "runs output metric seed trust_checkpoint weights",
    "export": "ckpt_path format width output precision fold extractor weights_path num_fake data_root overwrite "
    "onnxruntime_web trust_checkpoint weights truncation",
    "demo": "ckpt_path port open_browser precision onnxruntime_web trust_checkpoint weights truncation",
}


def modules_of(*args: str, folder: Path) -> set[str]:
    """Return the top-level modules that a command loads in a process of its own."""
    command = [sys.executable, "-c", SEES_MODULES, *args]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    assert "warning" not in done.stderr.lower()
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "command",
    [
        *(
            "",
            "fit",
            "fit --version",
            "--help",
            "--version",
            "smaple",
            "compare a a",
            "compare --help",
            "sample --help",
            "walk --help",
            "recalibrate --help",
        ),
        *("report --help", "import --help", "profile --help"),
    ],
)
def test_a_quick_command_loads_no_heavy_library(command: str, tmp_path: Path) -> None:
    results = {"extractor": {"name": "inception"}, "iteration": 1, "protocol": {}, "widths": [{"width": 1, "fid": 2}]}
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "results.json").write_text(json.dumps(results))
    assert not HEAVY & modules_of(*command.split(), folder=tmp_path)


@pytest.mark.parametrize("command", ["sample --num_images 2 --output a.png", "walk --frames 6 --output a.gif"])
def test_sampling_needs_pytorch_alone(command: str, digits_checkpoint: Path, tmp_path: Path) -> None:
    found = modules_of(*command.split(), "--ckpt_path", str(digits_checkpoint), folder=tmp_path)
    assert list(tmp_path.glob("a.*"))
    assert HEAVY & found == {"torch"}


@pytest.mark.parametrize("name", ["slimgan_pl", "slimgan_pl.evaluation"])
def test_a_package_lists_names_that_it_has_not_loaded_yet(name: str) -> None:
    code = f"import {name} as package; print(sorted(set(package.__all__) - set(dir(package))))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_training_loads_no_library_of_dashboards(config: Path) -> None:
    short = ("--trainer.max_steps", "1", "--model.evaluator", "null")
    found = modules_of("fit", "--config", str(config), *short, folder=config.parent)
    assert not {"wandb", "altair", "onnxruntime", "vl_convert"} & found


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_has_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        run(name, "--help")
    assert exit_info.value.code == 0
    words = capsys.readouterr().out.replace("]", " ").replace("[", " ").split()
    for option in OPTIONS[name].split():
        assert ("runs" if option == "runs" else f"--{option}") in words
    assert (
        not {word for word in words if word.startswith("--")}
        - {f"--{each}" for each in OPTIONS[name].split()}
        - {"--help"}
    )


def test_values_have_the_form_of_configurations(capsys: pytest.CaptureFixture[str]) -> None:
    from slimgan_pl.cli.profile import profile
    from slimgan_pl.cli.tool_parser import tool_parser

    words = ["--batch_sizes=[1,16]", "--threads", "null", "--seconds", ".inf", "--folded", "True", "--rounds", "1e2"]
    found = tool_parser(profile, "profile").parse_args(words)
    assert (found.batch_sizes, found.threads, found.seconds, found.folded) == ([1, 16], None, float("inf"), True)
    assert found.rounds == 100
    assert tool_parser(profile, "profile").parse_args([]).batch_sizes == (1, 64)


def test_a_command_makes_the_options_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr("slimgan_pl.cli.lightning_cli.arrange_help", lambda _, name: made.append(name))
    for words in (["fit", "--version"], ["--config", "nowhere.yaml", "fit"]):
        with pytest.raises(SystemExit):
            SlimGANCLI(words)
    assert made == ["fit", *("fit", "validate", "test")]


def test_a_model_of_a_configuration_ignores_all_other_settings_of_fit(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    class Spy(SlimGANCLI):
        def instantiate_classes(self) -> None:
            known = set(self.config["fit"].keys(branches=True)) - {"config"}
            assert {key.partition(".")[0] for key in known} - {"model"} <= set(OTHER_SETTINGS)
            raise Stop

    with pytest.raises(Stop):
        Spy(["fit", "--config", str(config)])
