"""The command, as a user types it."""

import csv
import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import wandb
import yaml
from commands import TINY, fails, run
from PIL import Image
from sharing import mostly_slow

from slimgan_pl.cli.lightning_cli import SlimGANCLI
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint

NO_FOLDER = ["--data=ImageFolderDataModule", "--data.root=nowhere", "--data.image_size=16", "--data.image_channels=1"]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse the download of Inception's weights."""

    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkpoint of a finished tiny run."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.yaml").write_text(TINY)
    run("fit", "--config", folder / "tiny.yaml", "--trainer.default_root_dir", folder / "runs")
    return folder / "runs" / "version_0" / "checkpoints" / "last.ckpt"


def test_fit_ends_with_the_table_and_names_its_files(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("fit", "--config", config, "--trainer.log_every_n_steps", 1)
    lines = capsys.readouterr().out.splitlines()
    assert any("60 fakes per width against 450 test images" in line for line in lines)
    folder = Path("runs/version_0")
    assert f"Picture: {folder}/samples.png" in lines
    assert f"Results: {folder}/results.json" in lines
    assert f"Checkpoint: {folder}/checkpoints/last.ckpt" in lines
    assert read_checkpoint(folder / "checkpoints" / "last.ckpt")["global_step"] == 3
    assert {path.name for path in (folder / "samples").iterdir()} == {"iteration_000002.png", "iteration_000003.png"}
    assert (folder / "config.yaml").is_file()
    assert "discriminator_loss/0.25" in (folder / "metrics.csv").read_text()
    assert list(folder.glob("events.out.tfevents.*"))


def test_a_result_names_the_checkpoint_it_is_about(trained: Path, tmp_path: Path) -> None:
    at_the_end = json.loads((trained.parents[1] / "results.json").read_text())
    digest = hashlib.sha256(trained.read_bytes()).hexdigest()
    assert at_the_end["checkpoint"] == {"file": "last.ckpt", "sha256": digest}
    path = tmp_path / "copy.ckpt"
    path.write_bytes(trained.read_bytes())
    run("test", "--ckpt_path", path)
    again = json.loads((tmp_path / "copy.test.json").read_text())
    assert again["checkpoint"] == {"file": "copy.ckpt", "sha256": digest}
    for key in ("widths", "real", "protocol", "extractor", "iteration", "training"):
        assert again[key] == at_the_end[key]


def test_test_takes_a_protocol_by_name_and_seeds(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--model.evaluator.num_fake", 40, "--model.evaluator.num_score", 50]
    run("test", "--ckpt_path", trained, "--protocol", "common", *few, "--seeds", 2)
    results = json.loads(trained.with_suffix(".test.json").read_text())
    protocol = results["protocol"]
    assert (protocol["real_split"], protocol["num_real"], protocol["splits"]) == ("train", 1347, 10)
    assert (protocol["num_fake"], protocol["num_score"], protocol["seeds"]) == (40, 50, [0, 1])
    assert results["deviation"]["widths"][0]["fid_digits"] > 0
    assert "over 2 seeds" in capsys.readouterr().out


@pytest.mark.slow
def test_numbers_on_the_command_line_win_over_a_protocol_in_either_form(trained: Path) -> None:
    run("test", "--ckpt_path", trained, "--protocol", "test", "--model.evaluator.init_args.num_fake", 33)
    assert json.loads(trained.with_suffix(".test.json").read_text())["protocol"]["num_fake"] == 33


@pytest.mark.slow
def test_a_checkpoint_knows_the_extractor_and_classifier_of_its_user(config: Path) -> None:
    nets = ["--model.evaluator.extractor", "standins.Corner", "--model.evaluator.extractor.size", 2]
    nets += ["--model.evaluator.classifier", "standins.Corner", "--model.evaluator.classifier.init_args.size", 3]
    run("fit", "--config", config, "--trainer.default_root_dir", "runs", *nets)
    run("test", "--ckpt_path", "runs/version_0/checkpoints/last.ckpt", "--trust_checkpoint", "true")
    at_the_end = json.loads(Path("runs/version_0/results.json").read_text())
    again = json.loads(Path("runs/version_0/checkpoints/last.test.json").read_text())
    assert at_the_end["extractor"]["name"] == "Corner"
    assert again["widths"] == at_the_end["widths"]
    assert again["classifier"] == at_the_end["classifier"]


def test_a_protocol_that_asks_for_more_images_than_exist_says_how_many_there_are(
    trained: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = fails(capsys, "test", "--ckpt_path", trained, "--protocol", "paper")
    assert code == 1
    assert "asks for 10,000 real images, but the test split holds 450" in line
    _, line = fails(capsys, "fit", "--config", config, "--model.evaluator.num_real", 5000)
    assert "asks for 5,000 real images" in line
    assert not list(Path("runs").rglob("*.ckpt")), "before training, not after"


@pytest.fixture
def samples(trained: Path, tmp_path: Path) -> Path:
    """Return a folder of images that a net has generated."""
    run("sample", "--ckpt_path", trained, "--num_images", 70, "--output", tmp_path / "theirs")
    return tmp_path / "theirs"


def test_a_folder_of_images_is_evaluated_as_the_net_that_generated_them(trained: Path, samples: Path) -> None:
    """The folder holds what the evaluator would generate at width 1.0."""
    few = ["--model.evaluator.num_fake", 70]
    run("test", "--ckpt_path", trained, *few)
    expected = json.loads(trained.with_suffix(".test.json").read_text())
    run("test", "--images", samples, "--ckpt_path", trained, *few)
    results = json.loads(Path(f"{samples}.test.json").read_text())
    for key, value in results["widths"][0].items():
        if key != "width":
            assert value == pytest.approx(expected["widths"][-1][key], rel=1e-6)
    assert results["protocol"] == expected["protocol"]
    assert (results["images"], results["available"]) == (str(samples), 70)
    assert results["iteration"] is results["checkpoint"] is results["training"] is None


def test_a_dark_folder_of_images_is_told_of(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in samples.glob("*.png"):
        Image.open(path).point(lambda value: value // 8).save(path)
    run("test", "--images", samples, "--data", "DigitsDataModule", "--model.evaluator.extractor", "digits")
    assert capsys.readouterr().err.count("nearly black where 255 is white; brighten the files") == 1


def test_a_folder_of_images_needs_no_net(samples: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluator = ["--model.evaluator.extractor", "digits"]
    run("test", "--images", samples, "--data", "DigitsDataModule", *evaluator)
    assert "70 images against 450 test images" in " ".join(capsys.readouterr().out.split())
    run("test", "--images", samples, "--config", config, "--model.evaluator.num_fake", 66)
    assert "66 images against 450" in " ".join(capsys.readouterr().out.split())


@mostly_slow(
    ("args", "words"),
    [
        (["--images", "nowhere"], "there is no folder nowhere; name a folder of images with --images"),
        (["--images", "empty"], "there are no images in empty"),
        (["--images", "theirs", "--data.image_size", "32"], "is 16x16 pixels but the real images are 32x32"),
        (["--images", "theirs", "--model.evaluator.num_fake", "71"], "asks for 71 fakes, but there are 70"),
        (["--images", "theirs", "--model.evaluator", "null"], "there is no evaluator for the images"),
        (["--images", ""], "--images is empty"),
        (["--images", "theirs", "--seeds", "2"], "images have no latents; leave --seeds out"),
        (["--images", "broken"], "12 of 12 images cannot be used: broken/0.png"),
    ],
    keep=2,
)
def test_what_is_wrong_with_a_folder_of_images_is_named(
    samples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    monkeypatch.chdir(samples.parent)
    Path("empty").mkdir()
    Path("broken").mkdir()
    for number in range(12):
        Path(f"broken/{number}.png").write_bytes(b"no image")
    evaluator = [] if "null" in args else ["--model.evaluator.extractor", "digits"]
    code, line = fails(capsys, "test", "--data", "DigitsDataModule", *evaluator, *args)
    assert code == 1
    assert words in line
    assert not list(Path().glob("*.json"))


@pytest.mark.slow
def test_the_x_axis_of_logs_is_the_iteration(config: Path) -> None:
    run(
        *("fit", "--config", config, "--trainer.max_steps", 4, "--trainer.log_every_n_steps", 2),
        *("--trainer.val_check_interval", 3),
    )
    with open("runs/version_0/metrics.csv") as file:
        rows = list(csv.DictReader(file))
    steps = {name: [int(row["step"]) for row in rows if row[name]] for name in ("generator_loss", "mic_digits")}
    assert steps == {"generator_loss": [2, 4], "mic_digits": [3, 4]}  # evaluated during training and at the end


@pytest.mark.slow
def test_a_second_fit_gets_a_folder_of_its_own(config: Path) -> None:
    for _ in range(2):
        run("fit", "--config", config, "--model.evaluator", "null")
    assert {path.name for path in Path("runs").iterdir()} == {"version_0", "version_1"}


def test_what_is_switched_off_is_left_out(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    off = ["--trainer.enable_progress_bar", "false", "--trainer.enable_checkpointing", "false"]
    run("fit", "--config", config, "--model.evaluator", "null", *off)
    output = capsys.readouterr().out
    assert "Picture:" in output
    assert not any(words in output for words in ("Iteration", "Checkpoint:", "--ckpt_path", "None"))
    assert not list(Path("runs").rglob("*.ckpt"))


@mostly_slow("command", ["test", "validate"])
def test_evaluating_writes_beside_the_checkpoint_alone(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run(command, "--ckpt_path", trained)
    assert not list(tmp_path.iterdir())


def test_test_repeats_the_table_of_fit_exactly(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("test", "--ckpt_path", trained)
    again, first = (
        json.loads(path.read_text())
        for path in (trained.with_suffix(".test.json"), trained.parent.parent / "results.json")
    )
    assert {**again, "seconds": None} == {**first, "seconds": None}
    assert trained.with_suffix(".test.png").is_file()
    assert len(again["widths"]) == 4


@pytest.mark.slow
def test_validate_prints_the_same_metrics(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("validate", "--ckpt_path", trained)
    results = json.loads(trained.with_suffix(".validate.json").read_text())
    assert results["widths"] == json.loads((trained.parent.parent / "results.json").read_text())["widths"]


def test_settings_of_the_checkpoint_yield_to_the_config_and_that_to_the_command_line(
    trained: Path, tmp_path: Path
) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    seen: dict[str, Any] = {}

    class Spy(SlimGANCLI):
        def instantiate_classes(self) -> None:
            seen.update(self.config["test"].as_dict())
            raise Stop

    (tmp_path / "more.yaml").write_text(
        "model: {distill_weight: 8, critic_steps: 2}\ndata: {init_args: {batch_size: 9}}"
    )
    base = ["test", "--ckpt_path", str(trained)]
    with pytest.raises(Stop):
        Spy(base)
    assert seen["model"]["distill_weight"] == 7
    assert seen["data"]["init_args"]["batch_size"] == 8
    with pytest.raises(Stop):
        Spy([*base, "--config", str(tmp_path / "more.yaml"), "--model.critic_steps", "3"])
    assert seen["model"]["distill_weight"] == 8
    assert seen["model"]["critic_steps"] == 3
    assert seen["data"]["init_args"]["batch_size"] == 9


def test_evaluation_while_training_when_asked_for(config: Path) -> None:
    run("fit", "--config", config, "--trainer.max_steps", 4, "--trainer.val_check_interval", 2)
    results = sorted(path.name for path in Path("runs/version_0/results").iterdir())
    assert results == ["iteration_000002.json", "iteration_000004.json"]


def test_checkpoints_count_iterations(config: Path) -> None:
    run(
        *("fit", "--config", config, "--model.critic_steps", 2, "--trainer.max_steps", 5, "--model.evaluator", "null"),
        *("--checkpoint.keep_every_n_iterations", 2),
    )
    folder = Path("runs/version_0/checkpoints")
    assert {path.name for path in folder.iterdir()} == {"iteration_000002.ckpt", "iteration_000004.ckpt", "last.ckpt"}
    assert read_checkpoint(folder / "iteration_000004.ckpt")["global_step"] == 4


@pytest.mark.slow
def test_offline_weights_and_biases_gets_the_losses_and_the_grid(config: Path) -> None:
    run("fit", "--config", config, "--wandb", "offline", "--trainer.log_every_n_steps", 1, "--model.evaluator", "null")
    wandb.finish()
    (folder,) = Path("runs/version_0/wandb").glob("offline-run-*")
    (picture,) = sorted((folder / "files" / "media" / "images").glob("*.png"))[:1]
    assert np.asarray(Image.open(picture)).max() > 0  # not all black


def test_a_configuration_can_name_the_checkpoint(trained: Path, config: Path) -> None:
    (config.parent / "evaluate.yaml").write_text(f"ckpt_path: {trained}")
    trained.with_suffix(".test.json").unlink(missing_ok=True)
    run("test", "--config", "evaluate.yaml")
    assert json.loads(trained.with_suffix(".test.json").read_text())["iteration"] == 3


@pytest.mark.slow
def test_a_configuration_without_a_checkpoint_does_not_take_it_away(trained: Path, config: Path) -> None:
    trained.with_suffix(".test.json").unlink(missing_ok=True)
    run("test", "--ckpt_path", trained, "--config", trained.parent.parent / "config.yaml")  # it says ckpt_path: null
    assert json.loads(trained.with_suffix(".test.json").read_text())["iteration"] == 3


@mostly_slow("width", ["all", "0.5"])
def test_sample_needs_the_checkpoint_alone(trained: Path, tmp_path: Path, width: str) -> None:
    common = ["sample", "--ckpt_path", trained, "--width", width, "--num_images", "5"]
    run(*common, "--output", tmp_path / "grid.png")
    run(*common, "--output", tmp_path / "files")
    run(*common, "--output", tmp_path / "again.png")
    assert (tmp_path / "grid.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert len(list((tmp_path / "files").rglob("*.png"))) == (20 if width == "all" else 5)


@mostly_slow("name", ["grid.jpg", "grid.WEBP"])
def test_sample_writes_any_kind_of_picture(trained: Path, tmp_path: Path, name: str) -> None:
    run("sample", "--ckpt_path", trained, "--num_images", 3, "--output", tmp_path / name)
    with Image.open(tmp_path / name) as picture:
        assert picture.size == (3 * 17 + 1, 17 + 1)


def test_help_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        run("--help")
    assert exit_info.value.code == 0
    output = capsys.readouterr().out
    assert all(name in output for name in ("fit", "validate", "test", "sample", "profile"))
    assert "predict" not in output


@mostly_slow(
    ("args", "status", "words"),
    [
        (["--config", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["--config", "tiny.yaml", "--model.colour", "red"], 2, "colour"),
        (["--config", "tiny.yaml", "--trainer.max_steps", "many"], 2, "many"),
        (["--config", "tiny.yaml", "--model.adversarial_loss", "hing"], 2, "adversarial_loss"),
        (
            ["--config", "tiny.yaml", "--data.init_args.image_size", "17"],
            2,
            "--data.image_size is 17; give one of 16, 32",
        ),
        (
            ["--config", "tiny.yaml", "--model.evaluator.extractor", "nope"],
            1,
            "there is no extractor 'nope'; give inception, digits",
        ),
        (["--config", "tiny.yaml", "--model.evaluator.num_fake", "1"], 1, "num_fake is 1; it has to be at least 2"),
        (["--config", "tiny.yaml", "--model.generator_optimizer.lrr", "1"], 2, "Adam has no lrr"),
        (["--config", "tiny.yaml", "--trainer.devices", "[a]"], 1, "trainer refuses its settings"),
        (["--config", "tiny.yaml", "--model.generator.init_args.channels", "[8, 10, 8]"], 1, "stage 1: 10 channels"),
        (["--config", "tiny.yaml", "--model.generator.init_args.widths", "[0.5]"], 1, "end in 1.0"),
        (["--config", "tiny.yaml", "--model.discriminators.init_args.num_shared", "9"], 1, "num_shared is 9"),
        (["--config", "tiny.yaml", "--model.discriminators.init_args.num_branches", "2"], 1, "num_branches to 4"),
        (["--config", "tiny.yaml", "--data.init_args.batch_size", "5000"], 1, "lower --data.batch_size"),
        (["--config", "tiny.yaml", "--data.init_args.image_size", "32"], 1, "image_size 32"),
        (["--config", "tiny.yaml", "--ckpt_path", "nowhere.ckpt"], 1, "no checkpoint nowhere.ckpt"),
        (["--config", "tiny.yaml", "--ckpt_path", "tiny.yaml"], 1, "damaged or of another kind"),
        (["--config", "tiny.yaml", "--model.generator_optimizer.init_args.lr", "-1"], 1, "learning rate"),
        (["--config", "tiny.yaml", "--trainer.accelerator", "gpu"], 1, "gpu"),
    ],
    keep=5,
)
def test_a_mistake_in_fit_gets_one_sentence(
    config: Path, capsys: pytest.CaptureFixture[str], args: list[str], status: int, words: str
) -> None:
    if "gpu" in args and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    code, line = fails(capsys, "fit", *args)
    assert words in line
    assert len(line) < 320
    assert code == status


@mostly_slow(
    ("args", "words"),
    [
        (["sample", "--width", "0.3"], "width 0.3 is not one of this generator's widths: 0.25, 0.5, 0.75, 1"),
        (["sample", "--num_images", "0"], "at least 1"),
        (["sample", "--label", "3"], "no class 3"),
        (["sample", "--output", "x.colour"], "no picture can be written as .colour"),
        (["sample", "--output", "/proc/nowhere/x.png"], "/proc/nowhere"),
        (["test", *NO_FOLDER], "there is no folder nowhere"),
        (["test", *NO_FOLDER, "--data.image_channels", "3"], "image_channels 3 but the generator has 1"),
    ],
    keep=3,
)
def test_a_mistake_with_a_checkpoint_gets_one_sentence(
    trained: Path, capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    code, line = fails(capsys, args[0], "--ckpt_path", trained, *args[1:])
    assert words in line
    assert code in (1, 2)


def test_a_finished_run_is_not_resumed(trained: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ("--trainer.default_root_dir", "new")
    _, line = fails(capsys, "fit", "--config", config, "--ckpt_path", trained, "--wandb", "offline", *root)
    assert f"nothing to do: 3 of 3 iterations are done in {trained}; raise --trainer.max_steps" in line
    assert not Path("new").exists()
    run("fit", "--config", config, "--ckpt_path", trained, "--trainer.max_steps", 4, "--model.evaluator", "null", *root)
    assert read_checkpoint("new/version_0/checkpoints/last.ckpt")["global_step"] == 4


def test_a_configuration_of_a_resumed_run_starts_a_new_one(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit = ("fit", "--config", config, "--model.evaluator", "null", "--ckpt_path", "last")
    run(*fit)
    run(*fit, "--trainer.max_steps", 4)
    capsys.readouterr()
    run("fit", "--config", "runs/version_0/config.yaml", "--trainer.max_steps", 1)
    assert read_checkpoint("runs/version_1/checkpoints/last.ckpt")["global_step"] == 1
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run(*fit, "--print_config")
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["trainer"]["max_steps"] == 3
    for settings in (printed, yaml.safe_load(Path("runs/version_0/config.yaml").read_text())):
        assert not {"ckpt_path", "trust_checkpoint"} & settings.keys()


def test_a_checkpoint_that_a_configuration_names_is_told(
    trained: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("old.yaml").write_text(f"ckpt_path: {trained}")
    fit = ("fit", "--config", "old.yaml", "--model.evaluator", "null", "--trainer.max_steps", 4)
    run(*fit, "--trainer.default_root_dir", "new")
    said = capsys.readouterr().out
    assert f"old.yaml names a checkpoint: {trained}" in said
    assert f" from {trained}, after iteration 3." in said
    run(*fit, "--config", config, "--ckpt_path", "null")
    assert "Iteration 1/3" in capsys.readouterr().out


def test_a_run_started_from_a_checkpoint_is_in_its_folder_of_runs(config: Path) -> None:
    run("fit", "--config", config, "--model.evaluator", "null", "--trainer.default_root_dir", "runs/a")
    run("fit", "--ckpt_path", "runs/a", "--model.evaluator", "null", "--trainer.max_steps", 4)
    assert read_checkpoint("runs/a/version_1/checkpoints/last.ckpt")["global_step"] == 4


def test_a_checkpoint_is_named_by_its_run_as_well(trained: Path, tmp_path: Path) -> None:
    run_folder = trained.parent.parent
    for name in (run_folder, run_folder.parent, trained.parent):
        run("sample", "--ckpt_path", name, "--num_images", 2, "--output", tmp_path / "x.png")
        assert (tmp_path / "x.png").is_file()
        (tmp_path / "x.png").unlink()
    trained.with_suffix(".test.json").unlink(missing_ok=True)
    run("test", "--ckpt_path", run_folder)
    assert json.loads(trained.with_suffix(".test.json").read_text())["iteration"] == 3
    weights = load_model(trained).state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in load_model(run_folder).state_dict().items())


@mostly_slow("command", ["fit", "test"])
def test_a_checkpoint_of_other_nets_is_refused(
    trained: Path, config: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    channels = ["--model.generator.init_args.channels", "[16, 8, 8]"]
    _, line = fails(capsys, command, "--config", config, "--ckpt_path", trained, *channels)
    assert "generator.stem.weight is (128, 8) there and (256, 8) here" in line


@mostly_slow(
    "mistake",
    [["--data.init_args.image_size", 32], ["--model.evaluator.init_args.extractor", "inception"]],
    keep=1,
)
def test_no_data_is_converted_for_settings_that_cannot_work(
    config: Path, capsys: pytest.CaptureFixture[str], no_network: None, mistake: list[Any]
) -> None:
    fails(capsys, "fit", "--config", config, "--data.init_args.cache_dir", "cache", *mistake)
    assert [path.name for path in Path.cwd().iterdir()] == ["tiny.yaml"]


def test_weights_and_biases_without_a_key_says_what_to_do(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**_: Any) -> None:
        raise wandb.errors.UsageError("No API key configured.")

    monkeypatch.setattr(wandb, "init", init)
    _, line = fails(capsys, "fit", "--config", config, "--wandb", "online")
    assert "(No API key configured); run `wandb login`, or give --wandb offline" in line
    assert not list(Path("runs").iterdir())


def test_evaluating_without_a_checkpoint_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "needs a trained net" in fails(capsys, "test", "--config", config)[1]


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    assert "not a checkpoint that slimgan" in fails(capsys, "test", "--ckpt_path", tmp_path / "other.ckpt")[1]
    torch.save(print, tmp_path / "function.ckpt")
    assert "cannot be read" in fails(capsys, "sample", "--ckpt_path", tmp_path / "function.ckpt")[1]


@pytest.mark.slow
def test_an_empty_folder_and_a_corrupt_image_are_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = config.parent / "images"
    folder.mkdir()
    data = ["--data.class_path", "slimgan_pl.data.ImageFolderDataModule", "--data.init_args.root", folder]
    data += ["--data.init_args.image_size", 16, "--data.init_args.image_channels", 1]
    assert "no images in" in fails(capsys, "fit", "--config", config, *data)[1]
    for number in range(20):
        Image.new("L", (16, 16)).save(folder / f"{number}.png")
    (folder / "7.png").write_bytes(b"\x89PNG broken")
    assert "7.png cannot be used" in fails(capsys, "fit", "--config", config, *data)[1]


def test_inception_without_weights_says_what_to_do_before_training(
    config: Path, capsys: pytest.CaptureFixture[str], no_network: None
) -> None:
    _, line = fails(capsys, "fit", "--config", config, "--model.evaluator.init_args.extractor", "inception")
    assert "the weights of inception-v3-compat could not be downloaded" in line
    assert not list(Path("runs").rglob("*.ckpt"))


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_the_run_and_the_kept_checkpoint_is_from_before_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, line = fails(
        *(capsys, "fit", "--config", config, "--model.evaluator", "null", "--trainer.max_steps", 60),
        *("--model.generator_optimizer.init_args.lr", "1e38", "--checkpoint.every_n_iterations", 1),
    )
    assert "loss of width" in line
    (path,) = Path("runs").rglob("last.ckpt")
    checkpoint = read_checkpoint(path)
    assert f"iteration {checkpoint['global_step'] + 1};" in line
    assert [n for n, v in checkpoint["state_dict"].items() if not v.isfinite().all()] == []


def test_a_loss_that_is_not_finite_ends_the_run_at_once_and_what_went_wrong_is_kept_aside(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, line = fails(
        *(capsys, "fit", "--config", config, "--model.evaluator", "null", "--trainer.max_steps", 60),
        *("--model.generator_optimizer.init_args.lr", "1e38"),
    )
    assert "the discriminator loss of width 0.25 is nan at iteration 2;" in line
    assert [path.name for path in Path("runs").rglob("*.ckpt")] == ["nonfinite.ckpt"]


def test_a_mistake_shows_no_traceback_to_the_shell(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "slimgan_pl", "compare", "nowhere", "elsewhere"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_pasted_advice_trains_on_another_image_size(
    config: Path, image_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", "ImageFolderDataModule", "--data.root", image_folder, "--data.image_size", 24)
    command = ("fit", "--config", config, "--model.evaluator", "null", *data, "--data.image_channels", 1)
    status, line = fails(capsys, *command)
    advice = line.partition("; give ")[2].partition(", or set")[0]
    assert (status, advice.split()[0]) == (1, "--model.generator.bottom_size")
    run(*command, *shlex.split(advice))
    generator = read_checkpoint("runs/version_0/checkpoints/last.ckpt")["hyper_parameters"]["generator"]
    assert generator["init_args"]["bottom_size"] == 6


def test_settings_that_nets_share_follow_from_generator_and_data(config: Path) -> None:
    config.write_text(config.read_text().replace(", image_channels: 1", ""))
    run("fit", "--config", config, "--model.evaluator", "null", "--model.generator.widths", "[0.5, 1.0]")
    settings = read_checkpoint("runs/version_0/checkpoints/last.ckpt")["hyper_parameters"]
    assert settings["generator"]["init_args"]["image_channels"] == 1
    bank = settings["discriminators"]["init_args"]
    assert (bank["num_branches"], bank["image_channels"], bank["num_classes"]) == (2, 1, 0)
    written = yaml.safe_load(Path("runs/version_0/config.yaml").read_text())["model"]["discriminators"]["init_args"]
    assert (written["num_branches"], written["image_channels"], written["num_classes"]) == (2, 1, 0)


def test_a_generator_becomes_conditional_when_asked(config: Path) -> None:
    run("fit", "--config", config, "--model.evaluator", "null", "--conditional", "true")
    settings = read_checkpoint("runs/version_0/checkpoints/last.ckpt")["hyper_parameters"]
    assert [settings[net]["init_args"]["num_classes"] for net in ("generator", "discriminators")] == [10, 10]
    run("fit", "--config", "runs/version_0/config.yaml", "--trainer.max_steps", 4, "--ckpt_path", "last")


def test_the_files_of_two_runs_do_not_mix(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit = ("fit", "--config", config, "--model.evaluator", "null", "--trainer.max_steps")
    run(*fit, 1)
    resume = (*fit, 2, "--ckpt_path", "last")
    line = fails(capsys, *resume, "--trainer.logger", "false")[1]
    assert "would write beside runs/version_0; leave it out to resume that run" in line
    line = fails(capsys, *resume, "--trainer.enable_checkpointing", "false")[1]
    assert "would leave runs/version_0 with results of weights that are not kept" in line
    alone = (*fit, 1, "--trainer.logger", "false", "--trainer.default_root_dir", "alone")
    run(*alone)
    assert "alone holds a run, which this one would replace" in fails(capsys, *alone)[1]
    run(
        "fit",
        "--config",
        config,
        "--trainer.logger",
        "false",
        "--trainer.default_root_dir",
        "alone",
        "--ckpt_path",
        "last",
    )
    assert read_checkpoint("alone/checkpoints/last.ckpt")["global_step"] == 3


def test_a_monitored_metric_without_evaluations_before_the_end_is_warned_of_once(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("fit", "--config", config, "--checkpoint.monitor", "fid", "--trainer.max_steps", 1)
    assert capsys.readouterr().err.count("no evaluation comes before the end") == 1
