"""The checkpoint of the best evaluation is kept, and a run that no longer improves ends."""

import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from kill_storm import differences, outcome
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from sharing import fill_once

from slimgan_pl import SlimGAN, default_callbacks, default_trainer_arguments
from slimgan_pl.callbacks import IterationCheckpoint, SampleGrid
from slimgan_pl.callbacks.best_checkpoint import BestCheckpoint
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.errors import SlimGANWarning
from slimgan_pl.evaluation import EvaluationResults, Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.runs.checkpoint_evaluation import find_evaluation
from slimgan_pl.runs.checkpoints import read_source
from slimgan_pl.runs.evaluations import find_best_checkpoint
from slimgan_pl.runs.folder import RunFolder
from slimgan_pl.runs.resume import find_stopped_run

VALUES = {2: 5.0, 4: 7.0, 6: 6.0, 8: 4.0, 9: 4.0}  # an epoch is 3 iterations

PROTOCOL = {"num_fake": 2, "num_score": 2, "num_real": 2, "real_split": "test"}


class Scripted(Evaluator):
    """Returns a FID that is told for each iteration as the mean over the widths."""

    values: Mapping[int, float]
    model: SlimGAN

    def evaluate(self, fakes: Any, real: Any, progress: Any = None) -> dict[str, Any]:
        value = self.values[self.model.about()["iteration"]]
        rows = [{"width": 0.5, "fid_digits": value - 1}, {"width": 1.0, "fid_digits": value + 1}]
        return {"widths": rows, "extractor": {"name": "digits"}, "protocol": PROTOCOL}


def train(
    root: Path, values: Mapping[int, float], resumed: str | Path | None = None, *more: Callback, **settings: Any
) -> tuple[Trainer, IterationCheckpoint]:
    """Train, evaluate every two iterations and at the end, and return the trainer and the callback."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    generator = DCGANGenerator((8, 8, 4), latent_dim=8, image_channels=1, widths=(0.5, 1.0))
    bank = DCGANDiscriminatorBank((4, 4, 4), image_channels=1, num_branches=2)
    evaluator = Scripted("digits")
    evaluator.values = values
    evaluator.model = model = SlimGAN(generator, bank, evaluator=evaluator)
    checkpoint = IterationCheckpoint(**{"every_n_iterations": 5, "monitor": "fid", **settings})
    options: dict[str, Any] = {"max_steps": max(values), "val_check_interval": 2, "limit_train_batches": 3}
    callbacks = default_callbacks(checkpoint, SampleGrid(2, 1), *more)
    trainer = Trainer(
        callbacks=callbacks, **default_trainer_arguments(str(root), logger=False, accelerator="cpu", **options)
    )
    data = DigitsDataModule(batch_size=4)
    trainer.fit(model, data, ckpt_path=None if resumed is None else root / "checkpoints" / resumed)
    trainer.test(model, datamodule=data, verbose=False)
    return trainer, checkpoint


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that never stopped; it is only read."""
    return fill_once(tmp_path_factory, "best_whole", lambda root: train(root, VALUES))


def best_iteration(checkpoint: IterationCheckpoint) -> int | None:
    assert checkpoint.best is not None
    return None if checkpoint.best.results is None else checkpoint.best.results.iteration


def test_the_checkpoint_of_the_first_best_finite_value_is_kept_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, checkpoint = train(tmp_path, {2: math.nan, 4: 5.0, 6: 7.0, 8: 5.0, 9: -math.inf})
    kept = RunFolder(tmp_path).best_checkpoint
    assert find_best_checkpoint(tmp_path) == Path(checkpoint.best_model_path) == kept
    evaluation = find_evaluation(read_source(kept))
    assert evaluation is not None
    assert (evaluation.iteration, evaluation.provenance["matched_by"]) == (4, "sha256")
    assert f"\nBest: iteration 4, FID (digits) 5 (mean over the widths): {kept}\n" in capsys.readouterr().out


def test_a_run_without_better_values_ends_and_goes_further_as_if_it_had_not(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = [(None, 1, 4), ("last.ckpt", 1, 4), ("last.ckpt", 2, 6), ("last.ckpt", None, 9)]
    for resumed, patience, end in ends:  # within an epoch, still there, at an epoch's end, of training
        trainer, _ = train(tmp_path, VALUES, resumed, patience=patience)
        assert trainer.global_step == end
    said = capsys.readouterr().out
    assert "Stopped after iteration 4: fid is no better than at iteration 2 after 1 evaluation; to go" in said
    assert differences(outcome(whole), outcome(tmp_path)) == []


def test_the_best_checkpoint_resumes_as_any_other_where_the_last_is_damaged(whole: Path, tmp_path: Path) -> None:
    root = shutil.copytree(whole, tmp_path / "run")
    (root / "checkpoints" / "last.ckpt").write_bytes(b"damaged")
    with pytest.warns(SlimGANWarning, match="looking for an earlier one"):
        stopped = find_stopped_run(RunFolder(root))
    assert stopped is not None
    assert (stopped.checkpoint.name, stopped.iteration) == ("best.ckpt", 8)
    train(root, VALUES, stopped.checkpoint)
    assert differences(outcome(whole), outcome(root)) == []


def test_the_evaluation_at_the_end_counts_where_the_run_goes_further_but_not_for_a_new_run(tmp_path: Path) -> None:
    root, new = tmp_path / "run", tmp_path / "new"
    _, checkpoint = train(root, {2: 5.0, 3: 4.0})
    assert best_iteration(checkpoint) == 3
    _, checkpoint = train(root, {4: 4.5}, "last.ckpt")
    assert best_iteration(checkpoint) == 3
    (new / "checkpoints" / "best.ckpt").mkdir(parents=True)
    with pytest.warns(SlimGANWarning, match="the best checkpoint .* could not be written"):
        _, checkpoint = train(new, {6: 6.0}, root / "checkpoints" / "last.ckpt")
    assert best_iteration(checkpoint) is None, "and its file could not be written"


def test_after_a_resume_the_best_checkpoint_is_known_before_the_next_evaluation(tmp_path: Path) -> None:
    class Reads(Callback):
        path = ""

        def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
            self.path = str(trainer.checkpoint_callback.best_model_path)  # type: ignore[union-attr]

    train(tmp_path, {2: 5.0, 3: 4.0})
    kept, seen = RunFolder(tmp_path).best_checkpoint, Reads()
    train(tmp_path, {4: 4.5}, "last.ckpt", seen)
    assert seen.path == str(kept)
    kept.unlink()
    _, checkpoint = train(tmp_path, {6: 9.0}, "last.ckpt", seen)
    assert seen.path == ""
    assert (best_iteration(checkpoint), kept.is_file()) == (6, True), "the best of those that are there"


def evaluation(iteration: int, value: float) -> EvaluationResults:
    rows = [{"width": 1.0, "fid_digits": value, "kid_digits": -value}]
    return EvaluationResults.from_json(
        {"iteration": iteration, "widths": rows, "extractor": {"name": "digits"}, "protocol": PROTOCOL}
    )


def compare(best: BestCheckpoint, trainer: Trainer, values: list[float], saved: Path | None) -> None:
    for iteration, value in enumerate(values, 1):
        best.compare(trainer, evaluation(iteration, value), saved)


def test_a_better_value_whose_file_was_not_saved_ends_the_wait_once(
    make_trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    trainer, best, saved = make_trainer(), BestCheckpoint("fid", patience=2), tmp_path / "last.ckpt"
    saved.write_bytes(b"saved")
    compare(best, trainer, [9.0], saved)
    compare(best, trainer, [5.0], None)
    assert (best.waited, best.path is not None) == (0, True)
    compare(best, trainer, [8.0, 7.0], saved)
    assert best.is_exhausted
    assert best.results is not None
    assert best.metric.value(best.results) == 7.0, "the best of those that could be saved"
    resumed = BestCheckpoint("fid", patience=3)
    resumed.load_state_dict(best.state_dict())
    compare(resumed, trainer, [6.0], saved)
    assert resumed.is_exhausted


def test_patience_begins_anew_by_another_metric_and_goes_on_by_the_same(make_trainer: Callable[..., Trainer]) -> None:
    best, same, other = (BestCheckpoint(name, patience=2) for name in ("fid", "fid", "kid"))
    compare(best, make_trainer(), [5.0, 6.0, 7.0], None)
    for each in (same, other):
        each.load_state_dict(best.state_dict())
    assert (same.waited, other.waited) == (2, 0)
    before = {name: value for name, value in best.state_dict().items() if name in ("best", "waited")}
    same.load_state_dict(before)
    assert same.waited == 2, "of a checkpoint that does not name its metric"


def test_an_end_whose_best_file_could_not_be_written_is_not_taken_for_its_results(tmp_path: Path) -> None:
    train(tmp_path, {2: 5.0, 3: 4.0})
    kept = RunFolder(tmp_path).best_checkpoint
    kept.write_bytes(b"of an earlier evaluation")
    _, checkpoint = train(tmp_path, {4: 4.5}, "last.ckpt", patience=3)
    assert best_iteration(checkpoint) == 4
    assert checkpoint.best is not None
    assert checkpoint.best.waited == 2, "at iteration 4, and there at the end"


def test_early_stopping_of_lightning_monitors_the_mean_over_the_widths(tmp_path: Path) -> None:
    trainer, _ = train(tmp_path, VALUES, None, EarlyStopping("fid", patience=1), monitor=None)
    assert trainer.global_step == 4
    assert trainer.callback_metrics["fid_digits"] == 7.0


def test_a_run_without_evaluations_before_its_end_is_warned(tmp_path: Path) -> None:
    with pytest.warns(SlimGANWarning, match="no evaluation comes before the end"):
        train(tmp_path, {2: 5.0})
