"""Nothing in a file of somebody else's is run unless the user says so."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, fails, run
from lightning.pytorch import Trainer
from one_batch import OneBatch
from sharing import mostly_slow

import slimgan_pl
from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.evaluation import InceptionExtractor
from slimgan_pl.evaluation.extractors import INCEPTION_FILE
from slimgan_pl.runs.checkpoints import load_model
from slimgan_pl.runs.trust import check_trusted

CORNER = "{class_path: standins.Corner, init_args: {size: 2}}"


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.fixture
def armed(tmp_path: Path) -> Path:
    """Return a file in which a payload waits among tensors."""
    torch.save({"state_dict": {"a": torch.zeros(1)}, "payload": Payload(tmp_path / "ran")}, tmp_path / "armed.pth")
    return tmp_path / "armed.pth"


@pytest.fixture
def saved(tmp_path: Path, make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]) -> Path:
    trainer = make_trainer(max_steps=1)
    trainer.fit(make_model(), OneBatch(torch.zeros(6, 1, 8, 8)))
    trainer.save_checkpoint(tmp_path / "good.ckpt")
    return tmp_path / "good.ckpt"


@mostly_slow(
    "words",
    [
        ["fit", "--ckpt_path", "FILE", "--data", "DigitsDataModule"],
        ["test", "--ckpt_path", "FILE"],
        ["validate", "--ckpt_path", "FILE"],
        ["sample", "--ckpt_path", "FILE"],
        ["recalibrate", "--ckpt_path", "FILE"],
        ["profile", "--ckpt_path", "FILE"],
        ["import", "--generator", "FILE", "--output", "out.ckpt"],
    ],
    ids=lambda words: words[0],
    keep=lambda words: words[0] in ("test", "import"),
)
def test_no_command_runs_what_is_pickled_in_a_file(
    words: list[str], armed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(armed.parent)
    status, line = fails(capsys, *(str(armed) if word == "FILE" else word for word in words))
    assert status == 1
    assert "damaged" in line
    assert [path.name for path in armed.parent.iterdir()] == ["armed.pth"]


@pytest.mark.parametrize("place", ["path", "hub"])
def test_no_extractor_runs_what_is_pickled_in_its_weights(
    place: str, armed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = armed.parent
    if place == "hub":
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(root / "hub"))
        (root / "hub" / "checkpoints").mkdir(parents=True)
        armed.rename(root / "hub" / "checkpoints" / INCEPTION_FILE)
    with pytest.raises(SlimGANError, match=r"armed\.pth is not a file of plain" if place == "path" else "is damaged"):
        InceptionExtractor(str(armed) if place == "path" else None)
    assert not list(root.rglob("ran"))


def test_a_configuration_constructs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tags.yaml").write_text(f"{TINY}\nckpt_path: !!python/object/apply:pathlib.Path.touch [ran]\n")
    status, _ = fails(capsys, "fit", "--config", "tags.yaml")
    assert status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["tags.yaml"]


@mostly_slow(
    ("where", "name"),
    [
        ("generator", {"class_path": "evil.Thing", "init_args": {}}),
        ("generator", {"class_path": "slimgan_pl.utils.files.os.system"}),
        ("generator", {"class_path": "slimgan_pl.cli.main.main"}),
        ("generator", {"class_path": "torch.optim.os.system"}),
        ("generator", {"class_path": "torch.nn.Linear"}),
        ("generator", {"class_path": ["evil.Thing"]}),
        ("generator", "evil.Thing"),
        ("generator_optimizer", "os.system"),
        ("deep", [{"any": ({"class_path": "evil.Thing"},)}]),
    ],
    keep=2,
)
def test_a_checkpoint_that_names_other_classes_is_refused_before_anything_is_imported(
    where: str,
    name: Any,
    saved: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (saved.parent / "evil.py").write_text("from pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    monkeypatch.syspath_prepend(saved.parent)
    checkpoint = torch.load(saved, weights_only=True)
    checkpoint["hyper_parameters"][where] = name
    torch.save(checkpoint, saved)
    words = "which is not of this package and would be run; add --trust_checkpoint true"
    with pytest.raises(SlimGANError, match=words):
        load_model(saved)
    for command in (*(["sample"] if where == "generator" else []), "recalibrate", "test"):
        assert words in fails(capsys, command, "--ckpt_path", saved)[1]
    assert "evil" not in sys.modules
    assert not (saved.parent / "ran").exists()


def test_an_extractor_of_the_user_stops_only_what_evaluates(
    saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved.parent)
    extractor = {"class_path": "evil.Thing", "init_args": {}}
    evaluator = {"class_path": "slimgan_pl.evaluation.Evaluator", "init_args": {"extractor": extractor}}
    checkpoint = torch.load(saved, weights_only=True)
    checkpoint["hyper_parameters"]["evaluator"] = evaluator
    torch.save(checkpoint, saved)
    assert "names the class evil.Thing" in fails(capsys, "test", "--ckpt_path", saved)[1]
    run("sample", "--ckpt_path", saved, "--num_images", 2)
    run("profile", "--ckpt_path", saved, "--rounds", 1, "--seconds", 0, "--batch_sizes", 1)
    run("export", "--ckpt_path", saved, "--format", "safetensors")
    run("recalibrate", "--ckpt_path", saved, "--num_batches", 2)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if " -m slimgan_pl test " in line]
    assert line.endswith(" --trust_checkpoint true")


def test_what_the_user_names_or_trusts_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(TINY.replace("slimgan_pl.evaluation.DigitsClassifier", CORNER))
    run("fit", "--config", "own.yaml")
    ckpt_path = "runs/version_0/checkpoints/last.ckpt"
    assert "the class standins.Corner" in fails(capsys, "test", "--ckpt_path", ckpt_path)[1]
    run("test", "--ckpt_path", ckpt_path, "--trust_checkpoint", "true")
    run("test", "--ckpt_path", ckpt_path, "--config", "own.yaml")


def test_the_classes_of_the_package_and_optimizers_are_trusted(make_model: Callable[..., SlimGAN]) -> None:
    settings = dict(make_model().hparams)
    check_trusted({**settings, "generator_optimizer": {"class_path": "torch.optim.Adam"}}, "a.ckpt")


def test_the_package_calls_nothing_that_runs_text_or_pickles() -> None:
    forbidden = {"eval", "exec", "os.system", "os.popen", "pickle.load", "pickle.loads", "torch.jit.load"}
    for path in Path(slimgan_pl.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert name not in forbidden, f"{path}: {name}"
                assert name != "torch.load" or given.get("weights_only") == "True", f"{path}: torch.load"
                assert given.get("shell") != "True", f"{path}: a shell"
